"""Four eyes: a proposal as it is checked, before anybody is asked to approve it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.control.audit.refusals import Invalid, Problem
from troth.control.audit.scope import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """`connection` reads what is in force; `now` is the database's clock."""

    connection: Connection
    tenant: UUID | None
    subject: UUID
    code: str
    artefact: dict[str, Any]
    now: datetime

    def read[T](self, shape: type[T]) -> T:
        """The artefact in its kind's shape; raise Invalid for an unknown, missing or mistyped field."""
        try:
            return msgspec.convert(self.artefact, type=shape, strict=True)
        except msgspec.ValidationError as wrong:
            words, _, path = str(wrong).partition(" - at `$")
            raise Invalid([Problem(path.strip("`.") or "artefact", "shape", f"{words}.")]) from None
