"""What a conversation is: values and rules, with the standard library alone."""
