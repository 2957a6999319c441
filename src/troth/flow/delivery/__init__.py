"""From the spool to the next hop: claim, compose, mark, SMTP, result."""
