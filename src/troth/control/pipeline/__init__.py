"""Declares the river's tables; Django reads them and never writes them."""
