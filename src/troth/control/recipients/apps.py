"""Registers this room with Django, under the house's label."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "troth.control.recipients"
    label = "recipients"

    def ready(self) -> None:
        """A change of an import is told in the words of its form."""
        from troth.control.approvals.pictures import file_import
        from troth.control.imports.importer import said
        from troth.control.recipients.importing import RECIPIENTS

        file_import.SAID[RECIPIENTS.kind] = lambda connection, tenant, options: said(
            RECIPIENTS.choices(connection, tenant), options
        )
