"""Designation: the two named individuals who alone may write a client's templates and rules, by its profile."""
