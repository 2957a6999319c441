"""Categories: what kinds of notice a client sends, each with its purpose, its sender and its own limits."""
