"""Reports of others about our mail: DMARC aggregate (RFC 7489, 9990) and SMTP TLS (RFC 8460), read and reviewed."""
