"""What the database refuses becomes a sentence, whether the driver tells it or Django does, which puts its own error round it."""

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError

from troth.control.audit.refusals import Refused, StoreAway, refusals


def wrapped(trouble, kind=ProgrammingError):
    """As django.db.utils.DatabaseErrorWrapper raises it."""
    found = kind(str(trouble))
    found.__cause__ = trouble
    return found


@pytest.mark.parametrize("as_told", [lambda trouble: trouble, wrapped])
def test_a_refusal_is_a_sentence(as_told):
    trouble = psycopg.errors.InsufficientPrivilege("somebody reviewed meanwhile")
    with pytest.raises(Refused, match=r"\ASomebody reviewed meanwhile\.\Z"), refusals():
        raise as_told(trouble)


@pytest.mark.parametrize("as_told", [lambda trouble: trouble, wrapped])
def test_a_constraint_is_a_sentence(as_told):
    with pytest.raises(Refused, match="one of that name already"), refusals():
        raise as_told(psycopg.errors.UniqueViolation("duplicate key"))


@pytest.mark.parametrize("as_told", [lambda trouble: trouble, wrapped])
def test_a_fault_of_ours_stays_one(as_told):
    told = as_told(psycopg.errors.UndefinedColumn("no such column"))
    with pytest.raises(type(told)), refusals():
        raise told


def test_a_store_that_is_away_is_said():
    with pytest.raises(StoreAway), refusals():
        raise psycopg.OperationalError("server closed the connection")
    with pytest.raises(OperationalError), refusals():
        raise wrapped(psycopg.OperationalError("server closed the connection"), OperationalError)


def test_an_error_of_django_s_own_is_let_through():
    with pytest.raises(ProgrammingError), refusals():
        raise ProgrammingError("no cause")
