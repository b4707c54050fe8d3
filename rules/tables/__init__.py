"""Decision tables: their model, what they compile to, and what is wrong with them."""
