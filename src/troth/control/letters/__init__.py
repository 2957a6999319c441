"""Letters that came in and wait for a person: kept sealed, listed, opened one by one."""
