"""Registers this room with Django, under the house's label."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "troth.control.evidence"
    label = "evidence"
