"""All that knows SQL: which questions were taken, where their turns stand, what they cost."""
