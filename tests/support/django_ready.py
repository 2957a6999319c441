"""Django with the settings of the schema alone, for what imports rooms outside a server; to be imported first."""

import django
from django.conf import settings

from troth.control.settings import SCHEMA

if not settings.configured:
    settings.configure(**SCHEMA)
    django.setup()
