"""Pure values, references, terminology and errors: the standard library and pydantic, nothing of ours."""
