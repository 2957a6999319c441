"""Registers this room with Django, under the house's label."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "troth.control.suppressions"
    label = "suppressions"

    def ready(self) -> None:
        """A change of an import is told in the words of its form."""
        from troth.control.approvals.pictures import file_import
        from troth.control.imports.importer import said
        from troth.control.suppressions.importing import SUPPRESSIONS

        file_import.SAID[SUPPRESSIONS.kind] = lambda connection, tenant, options: said(
            SUPPRESSIONS.choices(connection, tenant), options
        )
