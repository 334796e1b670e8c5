"""Values and interfaces that every room shares; imports nothing of ox but the errors."""
