"""Evidence taken out of the house: the signed trust document of a programme, and a period's bundle for an auditor."""
