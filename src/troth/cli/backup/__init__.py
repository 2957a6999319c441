"""Around the house: backup and restore of all that an installation is: its database and its keyring."""
