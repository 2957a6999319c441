"""Evidence that people hand in: a file under a claim, accepted by a second person, good until a day."""
