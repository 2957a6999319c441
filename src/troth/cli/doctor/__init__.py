"""Around the house: `troth doctor`: looks at an installation from outside, names what is wrong and how to mend it.

A check is one file in `checks`; their order is the list in `order.py`. Each has a time of its own, changes nothing,
sends no mail, and says no secret.
"""
