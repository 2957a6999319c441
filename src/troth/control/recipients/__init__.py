"""Recipients: the page where a person confirms that an address is theirs."""
