"""Feedback's mail: the SMTP server that takes what comes back, for the few addresses that are ours, and relays nothing.

A letter is answered 250 only when what it sets in motion is committed. Who wants letters is a `Desk`; there is no other
address. It never makes mail: what it cannot take it refuses while the sender is there to hear it.
"""
