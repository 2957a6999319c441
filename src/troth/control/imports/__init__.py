"""Imports: files of many rows: handed in, sealed, checked row by row, approved by a second person, then carried out.

    received -> checked -> (a change of kind `import`) -> approved -> done
            `-> unreadable   `-> dropped                  in batches of 1,000 rows, resumed after a kill

A room whose rows come from files (recipients, suppressions) plugs in with one object, an `Importer` (importer.py):

    class Suppressed:                                 # control/suppressions/importing.py
        kind = "suppressions"                         # import.kind; one word
        words = Words(                                # of its pages; see importer.Words
            title="Import suppressions", section="suppressions", back="/suppressions",
            rows="addresses", columns=(Column("address", ("email", "recipient"), required=True), ...),
        )

        def choices(self, connection, tenant):        # what the upload's form asks besides file and source
            return ()
        def begin(self, header, options, ground):     # once a file: its first row; raise Unreadable(sentence)
            found = self.words.find(header)           # column -> place; Unreadable when a required one is missing
            def read(cells):                          # once a row; raise Unfit(code, hint) for a bad one
                return Row(key=index, value={"address": ..., "reason": ...})
            return read
        def then(self, options, rows): return "..."   # what follows from an approval, one sentence
        def apply(self, work, rows):                  # up to 1,000 good rows, in one transaction of `work.tenant`
            ...                                       # one SQL function; it begins with import_carrying(import, kind)
            return {"added": 3, "there already": 1}   # words -> how many, shown as the outcome

Two rows with one `key`: with equal values the first is taken and the others are said to repeat it; with different
values all of them are left out, since nobody can know which is right. Hints are shown to people and kept unsealed: they
never repeat what a cell said. A row that names its `domain` is taken only when that domain takes mail (hosts.py).

Its pages are this room's, given the importer in urls.py:

    path("suppressions/import", imports.new, {"importer": SUPPRESSED}, name="suppressions-import"),

and its work is done by `troth serve imports`, whose importers are named in cli/importing.py. `import:propose`,
`import:approve` and `import:read` are its rights. An importer knows no Django: it works in that process, too.
"""
