"""Programmes, their client firms, and pauses: who sends at all."""
