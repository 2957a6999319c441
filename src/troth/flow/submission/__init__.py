"""The only doors of the river: everything that sends, Troth itself included, enters here."""
