"""Rules as they are kept: drafts, versions, approvals, disablements, notices, reports. Documents are bytes here."""
