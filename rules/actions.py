"""Actions of the house: what people do on screens and through commands. Who may, `rules/access.py` says."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """Something a person does in the house; the policy of a route names exactly one."""

    USE_SCREENS = "use-screens"  # sign out, change the language, hear that something changed
    SEE_WORKLIST = "see-worklist"
    WORK_TASK = "work-task"
    REASSIGN_TASK = "reassign-task"  # give a task to another, whoever has it
    REQUEST_ADMISSION = "request-admission"
    CANCEL_ADMISSION = "cancel-admission"
    READ_STAY = "read-stay"
    FOLLOW_COMMAND = "follow-command"  # the status of one's own commands
    READ_RECORDS = "read-records"  # over FHIR: which, `_RECORDS` says
    FIND_PATIENT = "find-patient"  # by name, number, telephone, date of birth; and see who it is
    REGISTER_PATIENT = "register-patient"
    CORRECT_PATIENT = "correct-patient"  # name, numbers, contacts, coverage
    REQUEST_MERGE = "request-merge"  # a colleague then decides
    MERGE_PATIENTS = "merge-patients"  # two records of one person become one
    EXPORT_RECORDS = "export-records"  # records over FHIR as files
    BREAK_GLASS = "break-glass"  # open a record without a relation of care, with a reason
    STATE_PURPOSE = "state-purpose"  # say why, before a sensitive record opens
    REVIEW_BREAK_GLASS = "review-break-glass"
    READ_RULES = "read-rules"  # what decides here, its texts, drafts and reports
    WRITE_RULE = "write-rule"
    APPROVE_RULE = "approve-rule"  # what others wrote
    PUBLISH_RULE = "publish-rule"  # let it apply, end it, switch it off
    SETTLE_RULES = "settle-rules"  # what is asked before a rule is published, and who approves
    EXPLAIN_DECISION = "explain-decision"  # why a rule decided so about a patient
    OVERRIDE_DECISION = "override-decision"  # decide otherwise than a rule, with a reason
    DELEGATE = "delegate"  # let a colleague act on one's behalf
    SEE_RESIDENT_NUMBER = "see-resident-number"  # the whole number of a patient, with a reason
    READ_SETUP = "read-setup"  # what the hospital set up of itself, gaps included
    WRITE_SETUP = "write-setup"  # places, orderables, prices, forms: from now or later
    APPROVE_SETUP = "approve-setup"  # what somebody else recorded
    SETTLE_SETUP = "settle-setup"  # which tables ask for a second pair of eyes
    SEE_SECURITY = "see-security"  # what deserves a look: lock-outs, refusals, exports, keys
    SEE_ACCOUNTS = "see-accounts"  # who may sign in, with which roles, and where they are signed in
    MANAGE_ACCOUNTS = "manage-accounts"  # make, close and reset others' accounts, change their roles
    SEE_DUTY = "see-duty"  # who is on duty, the calendar
    KEEP_ROSTERS = "keep-rosters"  # duties, absences, what has to be covered
    KEEP_CALENDAR = "keep-calendar"  # holidays and business days
    SEE_PEOPLE = "see-people"  # people with their licences
    MANAGE_PEOPLE = "manage-people"
    ANSWER_CALLS = "answer-calls"  # one's own messages, and how one is reached
