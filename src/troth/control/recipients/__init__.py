"""The page where a recipient confirms an address: a GET changes nothing, the button is bound to the session."""
