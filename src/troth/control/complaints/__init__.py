"""Complaints: feedback loops that we are enrolled in, their trend, and the reviews that a person signs."""
