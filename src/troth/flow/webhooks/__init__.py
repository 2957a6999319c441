"""After the river's events: told to the clients' endpoints, signed, in order for each message, until it is taken."""
