"""Pure decisions: rule documents, their evaluator, and who may do what. No input or output."""
