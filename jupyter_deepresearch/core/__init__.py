"""What the product decides: values, events, the fold, the rules. Standard library only, no I/O, no clock."""
