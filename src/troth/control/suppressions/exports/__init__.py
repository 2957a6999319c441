"""Suppressions: what other providers' exports say, as their users get them (docs/suppressions.md); pure.

forms.py knows the lists (columns, and what each reason is here), said.py their dates and codes; json_table.py reads
JSON as a table of rows, as control/imports reads CSV; tables.py takes whichever a file is.
"""
