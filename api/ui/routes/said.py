"""What a form just did, said on the page it leads to: the address carries a code, never a text."""

from __future__ import annotations

from api.ui.views.frame import Notice
from api.ui.words import Words


def notice_of(words: Words, code: str) -> Notice | None:
    """The notice for a code in an address; None for no code or one that we do not know."""
    _ = words.gettext
    known = {
        "claimed": Notice(
            "done", _("The task is yours"), next=_("Nobody else works on it now. Choose a bed, or give it back.")
        ),
        "released": Notice(
            "done", _("You gave the task back"), next=_("Any colleague with your role may take it now.")
        ),
        "bed-assigned": Notice(
            "done",
            _("The bed is assigned"),
            next=_("The patient is admitted to it. The ward sees the stay from now on."),
        ),
        "requested": Notice(
            "done",
            _("Admission is requested"),
            next=_("The bed managers are asked to assign a bed. You see here when it is done."),
        ),
        "delegated": Notice(
            "done", _("Your colleague may act for you"), next=_("It ends by itself, or when one of you ends it.")
        ),
        "delegation-ended": Notice("done", _("It is ended")),
        "acting": Notice(
            "done", _("You act for a colleague now"), next=_("Your name stands on what you do, with theirs beside it.")
        ),
        "acting-ended": Notice("done", _("You act for yourself again")),
        "reviewed": Notice("done", _("The case is closed"), next=_("Your verdict and remark are kept with the case.")),
        "account-roles": Notice("done", _("The roles are changed"), next=_("The person signs in anew with them.")),
        "account-close": Notice("done", _("The account is closed"), next=_("Nobody gets in with it any more.")),
        "account-open": Notice("done", _("The account is open again")),
        "account-sessions": Notice("done", _("The person is signed out everywhere")),
        "registered": Notice(
            "done",
            _("The patient is registered"),
            next=_("The patient number stands below; ask for an admission from here."),
        ),
        "corrected": Notice(
            "done", _("The details are corrected"), next=_("What stood there before stays in the history.")
        ),
        "merge-asked": Notice(
            "done", _("The merge is asked for"), next=_("Nothing changes before a colleague of medical records agrees.")
        ),
        "merged": Notice(
            "done",
            _("The two records are one"),
            next=_("Everything stands in the record that stays; the other leads to it."),
        ),
        "merge-refused": Notice("done", _("The merge is refused"), next=_("Both records stay as they are.")),
        "duty-entered": Notice(
            "done", _("The duty is entered"), next=_("It counts at once: the next call goes there.")
        ),
        "duty-ended": Notice("done", _("The duty is ended"), next=_("What counted until now stays on record.")),
        "week-copied": Notice(
            "done", _("The week before is copied"), next=_("Look at the gaps: who may not any more was left out.")
        ),
        "need-entered": Notice("done", _("It has to be covered from now on"), next=_("Gaps are shown in the roster.")),
        "need-ended": Notice("done", _("It has not to be covered any more")),
        "day-entered": Notice("done", _("The day is entered"), next=_("Limits in business days count it at once.")),
        "day-ended": Notice("done", _("The entry is ended")),
        "week-set": Notice("done", _("The week is set"), next=_("Limits in business days count it at once.")),
        "licences-set": Notice(
            "done", _("The licences are entered"), next=_("They count from the person's next request on.")
        ),
        "absence-entered": Notice(
            "done", _("The absence is entered"), next=_("Calls go to who stands in, or pass upwards.")
        ),
        "absence-ended": Notice("done", _("The absence is ended")),
        "contact-added": Notice("done", _("The number is entered")),
        "contact-ended": Notice("done", _("It is ended")),
        "acknowledged": Notice("done", _("You see to it"), next=_("Nobody above you is called for now.")),
        "cancelled": Notice("done", _("The request is withdrawn"), next=_("Nobody waits for this bed any more.")),
    }
    return known.get(code)
