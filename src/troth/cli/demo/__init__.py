"""The demo beside the house: a local DNS server and a local mailbox, real protocols on loopback."""
