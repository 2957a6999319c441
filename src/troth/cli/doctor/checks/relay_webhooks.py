"""Around the house: doctor's check of the relay's webhooks: set up, their keys for us alone, and some came."""

from pathlib import Path

from troth.cli.doctor.finding import Finding, Findings, ok, unknown, wrong
from troth.cli.doctor.patient import NotAsked, Patient, there
from troth.cli.relaying import keys_of
from troth.settings import Settings

_OPEN = 0o007  # others may read, write or execute
# Since the newest fact, and whether mail went out in the day before: silence then is news.
_ASK = """
SELECT (SELECT max(at) FROM relay_count WHERE relay = %(relay)s),
       (SELECT count(*) FROM event_tally WHERE kind = 8 AND hour > now_v1() - interval '1 day'),
       (SELECT max(at) < now_v1() - interval '1 day' FROM relay_count WHERE relay = %(relay)s)
"""
_RELAYS = {"mailgun": "Mailgun", "ses": "SES"}
_QUIET = "Its control panel says whether it posts to /hooks/{kind} here, and what it was answered."


def look(patient: Patient) -> Findings:
    settings = patient.settings
    kind = settings.relay_kind
    if settings.mailgun_signing_key_file is not None:
        yield _keys(settings.mailgun_signing_key_file)
    if kind == "smtp":
        yield ok("the relay tells what it knows in its replies and by mail (relay_kind 'smtp')")
        return
    yield from _set_up(settings, kind)
    yield _heard(patient, kind)


def _set_up(settings: Settings, kind: str) -> Findings:
    if kind == "mailgun" and settings.mailgun_signing_key_file is None:
        yield wrong("mail goes through Mailgun, and none of its webhooks is taken: of deliveries nothing is known",
                    "Put its webhook signing key into a file that mailgun_signing_key_file names.")  # fmt: skip
    if kind == "ses" and not settings.ses_topics:
        yield wrong("mail goes through SES, and none of its webhooks is taken: of deliveries nothing is known",
                    "Name the SNS topics of its events in ses_topics.")  # fmt: skip
    if kind == "ses" and settings.ses_configuration_set is None:
        yield unknown("no message names a configuration set to SES (ses_configuration_set)",
                      "Where the domain's default set publishes events to the topic, that is right.")  # fmt: skip


def _keys(path: Path) -> Finding:
    fix = "Write Mailgun's webhook signing key into it, one a line, mode 0600."
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        return wrong(f"the file of mailgun_signing_key_file cannot be read ({type(trouble).__name__})", fix)
    number = len(keys_of(text))
    if not number:
        return wrong("the file of mailgun_signing_key_file holds no key", fix)
    if mode & _OPEN:
        return wrong("the file of mailgun_signing_key_file is open to every user", f"chmod 600 {path}")
    return ok(f"webhooks of Mailgun are taken under {number} key{'s' if number > 1 else ''}")


def _heard(patient: Patient, kind: str) -> Finding:
    with patient.connection("control") as connection:
        if not there(connection, "relay_count"):
            raise NotAsked
        newest, sent, silent = connection.execute(_ASK, {"relay": kind}).fetchone() or (None, 0, None)
    name, quiet = _RELAYS[kind], _QUIET.format(kind=kind)
    if newest is None and sent:
        return wrong(f"{sent} messages went out within a day, and no webhook of {name} ever came", quiet)
    if newest is None:
        return unknown(f"no webhook of {name} came yet; nothing was sent within a day")
    if silent and sent:
        return wrong(f"the newest webhook of {name} came on {newest:%Y-%m-%d}, and mail goes out", quiet)
    return ok(f"the newest webhook of {name} came at {newest:%Y-%m-%d %H:%M} UTC")
