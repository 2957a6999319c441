"""The control plane: every page and the management API, in Django; one folder a feature."""
