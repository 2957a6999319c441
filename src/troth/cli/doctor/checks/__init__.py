"""Around the house: what the doctor looks at, one check a file; none knows another."""
