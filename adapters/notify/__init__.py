"""The gateway that brings messages to pagers and telephones: its protocol as a mapping, and the calls beside it."""
