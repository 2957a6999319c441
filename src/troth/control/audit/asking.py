"""The ground of control: how a page asks the database, over Django's connection and in its request's transaction."""

from typing import Any

from django.db import connection


def rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Every row of a query whose size its own text bounds."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def row(query: str, *values: Any) -> tuple[Any, ...] | None:
    """The first row, if there is one."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found
