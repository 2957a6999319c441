"""Templates, written: what stands in the editor's fields, and the artefact that it comes to.

Fields are kept as typed, wrong ones too: a draft loses nothing. Faults are by field, each with the line and the fix.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from troth.control.audit.refusals import Problem as Refusal
from troth.mail.building import Layout, Source
from troth.mail.problem import Problem
from troth.mail.schema import check_schema
from troth.mail.trying import Seen, Try

KINDS = (
    ("mjml", "MJML", "Sections and columns that hold in every mail reader"),
    ("html", "HTML", "As it is sent; rules of a <style> go into the elements"),
    ("text", "Text only", "No HTML at all"),
)
LABELS = {
    "code": "Code", "category": "Category", "subject": "Subject", "preheader": "Preview line", "kind": "Written in",
    "source": "Body", "text": "Text part", "schema": "Variables", "samples": "Samples", "layout": "Layout",
    "pathways": "For recipients who were verified by", "reason": "Why",
}  # fmt: skip
_LONGEST = {"code": 63, "category": 63, "subject": 1_000, "preheader": 1_000, "kind": 8, "reason": 2_000}
_MOST = 250_000  # characters of every other field
_START = """<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text>Hello {{ name }},</mj-text>
        <mj-text>Say here what this mail is about.</mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""
_PART = """<mj-section>
  <mj-column>
    <mj-text>Hello {{ name }},</mj-text>
    <mj-text>Say here what this mail is about.</mj-text>
  </mj-column>
</mj-section>
"""
_SCHEMA = {"name": {"type": "string", "max_length": 80, "description": "Whom it greets"}}
_SAMPLES = [{"name": "Sam"}]

type Typed = dict[str, Any]


@dataclass(slots=True)
class Read:
    """What the fields come to. `faults`: by field; with any, `artefact` is None."""

    faults: dict[str, str] = field(default_factory=dict)
    artefact: dict[str, Any] | None = None
    asked: Try | None = None


def fresh(layout: str = "") -> Typed:
    """A template to begin with; `layout`: the client's, if it has one."""
    found: Typed = {
        "code": "", "category": "", "subject": "", "preheader": "", "kind": "mjml", "source": _START, "text": "",
        "schema": _json(_SCHEMA), "samples": _json(_SAMPLES), "layout": layout, "pathways": [],
    }  # fmt: skip
    if layout:
        found |= {"kind": "mjml", "source": _PART} if "<mjml" in layout else {"kind": "html", "source": "<p></p>\n"}
    return found


def of_version(code: str, artefact: Mapping[str, Any]) -> Typed:
    """An approved version as a person would write it: its source where it has one, else what is sent."""
    source = artefact.get("source")
    found = {
        **fresh(),
        "code": code,
        "category": artefact["category"],
        "subject": artefact["subject"],
        "schema": _json(artefact["schema"]),
        "samples": _json(artefact.get("samples") or []),
        "pathways": (artefact.get("targeting") or {}).get("pathways") or [],
    }
    if source:
        layout = (source.get("layout") or {}).get("body", "")
        parts = {name: source.get(name, "") for name in ("kind", "preheader", "text")}
        return {**found, **parts, "source": source["body"], "layout": layout}
    if artefact.get("html") is None:
        return {**found, "kind": "text", "source": artefact.get("text") or ""}
    return {**found, "kind": "html", "source": artefact["html"], "text": artefact.get("text") or ""}


def typed_in(post: QueryDict) -> Typed:
    """The fields of a form, line ends as one character, nothing else changed."""
    found: Typed = {}
    for name in fresh():
        if name == "pathways":
            found[name] = [each.replace("\0", "") for each in post.getlist(name)[:10]]
        else:
            found[name] = post.get(name, "").replace("\r\n", "\n").replace("\0", "")[: _LONGEST.get(name, _MOST)]
    return found


def read(typed: Typed) -> Read:
    """Whether the fields can be read at all; what they mean is tried in a child (`tried`)."""
    found = Read()
    schema = _parsed(typed["schema"], dict, "schema", found.faults, '{"name": {"type": "string"}}')
    samples = _parsed(typed["samples"] or "[]", list, "samples", found.faults, '[{"name": "Sam"}]')
    if not typed["subject"].strip():
        found.faults["subject"] = "Write the subject that recipients see."
    if typed["kind"] not in {kind for kind, _, _ in KINDS}:
        found.faults["kind"] = "Choose MJML, HTML or text only."
    if found.faults or schema is None or samples is None:
        return found
    wrong = check_schema(schema)
    if wrong:
        found.faults["schema"] = " ".join(f"{each.field}: {each.hint}" for each in wrong[:3])
        return found
    if any(not isinstance(each, dict) for each in samples) or len(samples) > 10:
        found.faults["samples"] = 'Give up to ten objects, each with every variable: [{"name": "Sam"}].'
        return found
    source = _source(typed)
    found.asked = Try(typed["subject"], source, schema, samples)
    found.artefact = {
        "category": typed["category"],
        "subject": typed["subject"],
        "schema": schema,
        "samples": samples,
        "source": _document(source),
        "targeting": {"pathways": sorted(typed["pathways"])} if typed["pathways"] else {},
    }
    return found


def _source(typed: Typed) -> Source:
    layout = Layout(typed["layout"]) if typed["layout"].strip() and typed["kind"] != "text" else None
    if typed["kind"] == "text":
        return Source("text", typed["source"])
    text = typed["text"] if typed["text"].strip() else ""
    return Source(typed["kind"], typed["source"], typed["preheader"], text, layout)


def _document(source: Source) -> dict[str, Any]:
    """Only what is said: an empty part is the same as none."""
    found: dict[str, Any] = {"kind": source.kind, "body": source.body}
    found |= {name: value for name in ("preheader", "text") if (value := getattr(source, name))}
    return {**found, "layout": {"body": source.layout.body}} if source.layout else found


def faults_of(problems: Iterable[Problem | Refusal]) -> dict[str, str]:
    """By field of the form; several of one field are one sentence after the other."""
    found: dict[str, str] = {}
    for each in problems:
        name, words = _place(each.field), each.hint
        if each.field.startswith("samples."):
            number, _, rest = each.field.removeprefix("samples.").partition(".")
            words = f"Sample {int(number) + 1}{f', {rest}' if rest else ''}: {words}"
        elif each.field in ("largest", "smallest"):
            words = f"With the {each.field} values that the variables allow: {words}"
        found[name] = f"{found[name]} {words}" if name in found else words
    return found


def _place(name: str) -> str:
    head = name.partition(".")[0]
    if head in LABELS:
        return head
    return {"html": "source", "largest": "source", "smallest": "source", "targeting": "pathways", "artefact": ""}.get(
        head, "schema"
    )


def sizes(seen: Seen) -> int:
    """Bytes of the largest rendered HTML; 0 where there is none."""
    return max((len(each.html.encode()) for each in seen.rendered if each and each.html), default=0)


def _parsed[T](text: str, kind: type[T], name: str, faults: dict[str, str], example: str) -> T | None:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as wrong:
        line = getattr(wrong, "lineno", 1)
        faults[name] = f"Line {line}: this is no JSON ({getattr(wrong, 'msg', 'too deep')}). As an example: {example}"
        return None
    if not isinstance(value, kind):
        faults[name] = f"This must look like {example}"
        return None
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
