"""What somebody with the superuser's password might do to the tiers of tables, and to the words that are published."""

from tests.control.trust.breaking import fences, loud, quiet

TIERS = [
    loud("ENC-7", "a table is made without a tier", "CREATE TABLE troth.notes (words text)", "DROP TABLE troth.notes"),
    loud("ENC-7", "a table elsewhere has no tier", "CREATE TABLE public.copies AS SELECT * FROM person",
         "DROP TABLE public.copies"),
    loud("ENC-7", "a table that nobody declared says a tier",
         ("CREATE TABLE troth.notes (words text)", "COMMENT ON TABLE troth.notes IS 'Public'"), "DROP TABLE troth.notes"),
    loud("ENC-7", "copies are kept by themselves", "CREATE MATERIALIZED VIEW troth.copies AS SELECT id FROM person",
         "DROP MATERIALIZED VIEW troth.copies"),
    loud("ENC-7", "a tier is another", "COMMENT ON TABLE account IS 'Public'",
         "COMMENT ON TABLE account IS 'Confidential'"),
    loud("ENC-7", "a tier is a fifth one", "COMMENT ON TABLE account IS 'Secret'",
         "COMMENT ON TABLE account IS 'Confidential'"),
    loud("ENC-7", "a tier is gone", "COMMENT ON TABLE session IS NULL", "COMMENT ON TABLE session IS 'Restricted'"),
    loud("ENC-7", "a table is gone", "ALTER TABLE import_fault RENAME TO import_faulty",
         "ALTER TABLE import_faulty RENAME TO import_fault"),
    loud("ENC-7", "a role may make tables", "GRANT CREATE ON SCHEMA troth TO troth_control",
         "REVOKE CREATE ON SCHEMA troth FROM troth_control"),
    loud("ENC-7", "everybody may make tables", "GRANT CREATE ON SCHEMA public TO PUBLIC",
         "REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    loud("ENC-7", "another role may make tables", "GRANT CREATE ON SCHEMA troth TO troth_flow",
         "REVOKE CREATE ON SCHEMA troth FROM troth_flow"),
    loud("ENC-7", "a role may change a tier", "ALTER TABLE person OWNER TO troth_control",
         "ALTER TABLE person OWNER TO troth_owner"),
]  # fmt: skip
_ARTEFACT = "UPDATE snapshot SET artefact = {}, digest = sha256(convert_to({}, 'UTF8')) WHERE kind = '{}'"


def _approved(kind, field, words):
    """As if two people had approved these words."""
    changed = f"jsonb_set(artefact::jsonb, '{{{field}}}', '{words}', true)::text"
    return _ARTEFACT.format(changed, changed, kind)


def _page(name, words, path="/trust/p-homes"):
    return loud("CPL-6", name, f"-- web says {path} {words}", "-- web")


CERTIFICATES = [
    *fences("CPL-6", "governed"),
    quiet("CPL-6", "the programme's name claims one", "programme", "UPDATE programme SET name = 'SOC 2 certified' WHERE code = 'p-homes'"),
    quiet("CPL-6", "its contacts claim one", "snapshot", _approved("programme", "contacts", '{"postal": "An ISO\u2011 27001 house"}')),
    quiet("CPL-6", "its subprocessors are said to have one", "snapshot",
          _approved("programme", "subprocessors", '[{"name": "A cloud", "purpose": "Hosting, P.C.I.\u00a0DSS"}]')),
    quiet("CPL-6", "Troth's own mail claims one", ("tenant", "snapshot"), "UPDATE tenant SET kind = 2",
          _approved("template", "text", '"Rest easy: we are H\u200bIPAA compliant."')),
    _page("the page claims one", "<p>We hold <b>S</b>O<i>C</i>&nbsp;2.</p>"),
    _page("the page claims one in other alphabets", "<p>ЅОС 2 Type II</p>"),
    _page("a picture's text claims one", '<img alt="Cyber Essentials Plus" src="/x.svg">'),
    _page("a style sheet writes one", "<style>p::after { content: 'FedRAMP' }</style>"),
    _page("the list of programmes claims one", "<p>ISO/IEC 27001</p>", "/trust"),
    _page("the page in another language claims one", "<p>HITRUST</p>", "/trust/p-homes?lang=de"),
]  # fmt: skip
PAGES = [*TIERS, *CERTIFICATES]
