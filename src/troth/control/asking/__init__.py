"""Asking: contacts and subprocessors of a programme, and what strangers ask of it: questions, documents by request."""
