"""One module a change, named for its day and its purpose."""
