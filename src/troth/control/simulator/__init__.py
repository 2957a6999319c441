"""The simulator: a proposed policy tried on the last days' real traffic, before anybody approves it."""
