"""The history of the schema. A release is safe to migrate to while the previous one still runs."""
