"""Access: how a client's people sign on with a provider of its own: what is in force, and drafting what is to be."""
