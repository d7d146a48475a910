"""What labels are worth: which of them look wrong, and what more of them would bring."""
