"""FHIR resources kept: read, written, deleted, their history, and the search rows that each write brings along.

HTTP is `api/fhir`'s; searching is `store.search`'s. Audit and outbox rows are the caller's, in the same transaction.
"""
