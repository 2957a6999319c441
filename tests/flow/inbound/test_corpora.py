"""A sample of real letters through the real server, to each kind of address: an answer each, quickly, in little memory."""

import pytest
from scripts import inbound_corpora
from scripts.inbound_corpora import BAR_MB, addresses, bring, letters, sent, serving, told, uncaught
from tests.support.firm import make_firm


@pytest.mark.slow
def test_letters_of_the_collections_are_answered(operator, tmp_path, capsys):
    files = letters(every=40)
    if not files:
        pytest.skip("the shared corpora are not here")
    messages = sent(operator, make_firm(operator), 20)
    with inbound_corpora._resolver(None) as dns, serving(operator, tmp_path, dns) as (port, process, log):
        seen = bring(port, files, addresses(operator, messages), process)
        errors = uncaught(log)
    assert (errors, seen.lost) == ([], [])
    assert {code for _, code in seen.answers} <= {250, 550, 452}
    assert {kind for kind, code in seen.answers if code == 250} == {
        "return path", "fbl", "dmarc", "tlsrpt", "abuse", "security", "postmaster", "opt-out"}  # fmt: skip
    assert len(seen.taken) == 8 * len(files)
    assert 0 < seen.largest < BAR_MB
    assert told(seen, ["an error"]) == 1
    assert "uncaught errors 1" in capsys.readouterr().out


def test_a_server_that_dies_or_never_listens_is_told(tmp_path):
    class Gone:
        pid = 0

        def poll(self):
            return 1

    log = tmp_path / "log"
    log.write_text('{"level": "error"}\nTraceback\nfine')
    with pytest.raises(RuntimeError, match="Traceback"):
        inbound_corpora._listening(1, Gone(), log)
    assert len(uncaught(log)) == 2
    assert inbound_corpora.memory(2**22 + 1) == 0
    with inbound_corpora._resolver("192.0.2.1:53") as given:
        assert given == "192.0.2.1:53"
