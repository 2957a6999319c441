"""Every reason for which a letter is kept for a person has a name and a sentence, not its code alone."""

import re
from pathlib import Path

from troth.control.letters import words

ROOT = Path(__file__).resolve().parents[3]
_CODE = re.compile(r"`([a-z][a-z-]+)`")


def test_every_reason_has_a_name_and_a_sentence():
    said = (ROOT / "docs/dmarc-reports.md").read_text()
    of_reports = _CODE.findall(
        said[said.index("What cannot be read has a closed word") : said.index("kept sealed for a")]
    )
    assert len(of_reports) >= 19
    flow = ROOT / "src/troth/flow/feedback"
    complaints = (flow / "complaints.py").read_text()
    why = re.findall(r'"([a-z][a-z-]+)"', complaints[complaints.index("def _why") :])
    aside = re.findall(r'_aside\((?:connection, )?"([a-z-]+)"', "".join(each.read_text() for each in flow.glob("*.py")))
    assert {"other-sender", "bad-signature", "not-enrolled", "unsigned"} <= set(why)
    for code in {*of_reports, *aside, *(set(why) - {"dkim-signature"}), "foreign", "untimely", "full", "flood"}:
        name, sentence = words.reason(code), words.meaning(code)
        assert name[0].isupper(), code
        assert sentence.endswith("."), code
