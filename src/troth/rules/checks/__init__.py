"""The gate's checks, one file a rule; their order is the list in rules/chain.py."""
