"""People: second factors and passkeys: how each is taken up, shown and given up."""
