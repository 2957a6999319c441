"""Evidence, for people: the records of changes, of access and of API requests, with their filters and exports."""
