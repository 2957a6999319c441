"""Around the house: `troth init` as a conversation: each question is answered, checked and kept before the next one.

What is done already is said and skipped, so that it may be stopped anywhere and run again.
"""
