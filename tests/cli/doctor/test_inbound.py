"""The doctor and incoming mail: who answers at its port, and where the return path's MX leads."""

import socket
import threading

import pytest
from tests.support.clinic import BOUNCES, free_port, sick, wrong

CHECK = "incoming mail"


def said(found):
    return " ".join(what for _, what, _ in found[CHECK])


class Greets:
    """Something that listens and says one line to whoever comes."""

    def __init__(self, words):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, args=(words,), daemon=True).start()

    def _serve(self, words):
        while True:
            try:
                there, _ = self.listening.accept()
            except OSError:
                return
            there.sendall(words)
            there.close()


@pytest.fixture
def greets():
    made = []

    def greet(words):
        made.append(Greets(words))
        return made[-1].port

    yield greet
    for each in made:
        each.listening.close()


def test_none_is_taken_and_none_is_offered(well):
    assert "no incoming mail is taken here" in said(well.doctor())


def test_taken_here_where_the_mx_leads(well, greets):
    well.names.publish(BOUNCES, "MX", "10 here.test.")
    well.names.publish("here.test", "A", "127.0.0.1")
    well.write(inbound_port=greets(b"220 here.test ESMTP Troth\r\n"))
    found = well.doctor()
    assert CHECK not in sick(found)
    assert "mail is taken at" in said(found)
    assert f"the MX of {BOUNCES} is this machine" in said(found)


def test_another_program_answers_and_the_mx_is_nobody(well, greets):
    well.names.publish(BOUNCES, "MX", "0 .")
    well.write(inbound_port=greets(b"220 other.test ESMTP Exim\r\n"))
    told = wrong(well.doctor(), CHECK)
    assert "another program takes mail" in told
    assert "has no MX with an address" in told


def test_nobody_runs_and_the_mx_cannot_be_reached(well):
    well.names.publish(BOUNCES, "MX", "10 there.test.")
    well.names.publish("there.test", "A", "192.0.2.25")
    well.write(inbound_port=free_port())
    found = well.doctor()
    assert {state for state, _, _ in found[CHECK]} == {"cannot tell"}
    assert "its server does not run" in said(found)
    assert "cannot be reached from here" in said(found)


def test_a_port_without_a_domain(well):
    well.write(inbound_port=free_port(), return_path_domain=None)
    assert "return_path_domain is not" in wrong(well.doctor(), CHECK)
