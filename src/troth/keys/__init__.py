"""The keyring: envelope encryption of people's data, blind indexes, signed tokens."""
