"""The shape of mail, pure: addresses, rendering, MIME, DKIM, SMTP replies. No I/O; every stage of the river stands on it."""
