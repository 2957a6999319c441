"""The shape of mail, pure: addresses, rendering, MIME, DKIM, SMTP replies; every stage of the river stands on it.

No I/O.
"""
