"""The command line's rooms: one file for each thing that `troth` can be told to do."""
