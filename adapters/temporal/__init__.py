"""The process engine as an outside system: what its failures mean to us."""
