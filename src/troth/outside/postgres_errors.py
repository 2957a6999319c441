"""What can go wrong with the house's own PostgreSQL, each in a sentence that says what to do.

PostgresError               temporary: whether waiting or trying again may help
  NoBinaries                nothing to run was found, or it is too old
  AlreadyRunning            another start holds this folder
  CannotPrepare             folders, owners, initdb
  DidNotStart               postgres ended, or did not answer in time
"""


class PostgresError(Exception):
    temporary = False


class NoBinaries(PostgresError):  # noqa: N818 - a name that reads as the sentence it raises
    """No usable `postgres` and `initdb`."""


class AlreadyRunning(PostgresError):  # noqa: N818 - as above
    """Another process holds this database's folder."""

    temporary = True


class CannotPrepare(PostgresError):  # noqa: N818 - as above
    """A folder, an owner or initdb stands in the way."""


class DidNotStart(PostgresError):  # noqa: N818 - as above
    """The server ended during its start, or stayed silent."""

    temporary = True
