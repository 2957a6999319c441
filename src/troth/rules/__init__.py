"""What the gate and the worker decide by, pure: facts in, decisions out."""
