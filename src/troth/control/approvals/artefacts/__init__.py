"""Four eyes: what an artefact of each kind must be, one file a kind; kinds.py lists them."""
