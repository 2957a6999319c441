"""A mailbox is kept as text between the gate and the delivery: what is written there is read back as the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.address import AddressError, parse_address
from troth.mail.mailbox import Mailbox, parse_mailbox

ADDRESSES = ["a@b.example", '"a b"@b.example', '"a\\"<b>"@b.example']


@pytest.mark.parametrize(
    "name", ["Doe, Jane", 'Jo "The Boss" Doe', "Acme (UK)", "a\\b", "x <q@e.example>", "two  blanks", "Zoë: rent; due"]
)
def test_names_that_need_quotes_survive(name):
    box = Mailbox(name, parse_address("a@b.example"))
    assert parse_mailbox(str(box)) == box


@given(st.text(max_size=256), st.sampled_from(ADDRESSES))
def test_every_mailbox_reads_back(name, address):
    try:
        box = Mailbox(name.strip(), parse_address(address))
    except AddressError:
        return
    assert parse_mailbox(str(box)) == box
