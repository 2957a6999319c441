"""Around the river: what a monitoring system is told of every stage, and whether each process still works."""
