"""Reports of others: what the pages call things; a finding of a review in a sentence."""

from typing import Any

# what a source is: its state's word (web/look), its name, and what that means
WHOSE = {
    "ours": ("verified", "Ours", "Signed with a key of ours and sent from an address that SPF names."),
    "forwarded": ("held", "Forwarded", "Our signature came through, from an address that SPF does not name."),
    "known": ("verified", "Aligned", "Passes DMARC, but not with a key of ours: another sender of the domain."),
    "other": ("failed", "Not aligned", "Neither DKIM nor SPF stands for the domain: somebody uses its name."),
}

TITLES = {
    "new-failing": "New sources that fail",
    "failing": "Known sources that fail now",
    "more": "Volume went up",
    "less": "Volume went down",
    "tls": "TLS that failed",
    "new-passing": "New sources that pass",
}

RESULTS = {
    "certificate-expired": "The certificate had expired.",
    "certificate-host-mismatch": "The certificate is for another host.",
    "certificate-not-trusted": "The certificate is signed by nobody who is trusted.",
    "starttls-not-supported": "STARTTLS was not offered.",
    "validation-failure": "It failed for a reason that was not said.",
    "sts-policy-fetch-error": "The MTA-STS policy could not be fetched.",
    "sts-policy-invalid": "The MTA-STS policy is not valid.",
    "sts-webpki-invalid": "The MTA-STS host has no valid certificate.",
    "tlsa-invalid": "The TLSA record is not valid.",
    "dnssec-invalid": "DNSSEC did not validate.",
    "dane-required": "DANE was required and not there.",
}


def finding(found: dict[str, Any]) -> dict[str, Any]:
    """As the document has it, with a title and a sentence."""
    return {**found, "title": TITLES.get(found["kind"], found["kind"]), "sentence": sentence(found)}


def sentence(found: dict[str, Any]) -> str:
    messages, passed, n = int(found["messages"]), int(found["passed"]), int(found["n"])
    failed, who = messages - passed, "one source" if n == 1 else f"{n:,} sources"
    match found["kind"]:
        case "new-failing":
            return f"{who[0].upper()}{who[1:]} of which no report told before: {_of(failed, messages)} failed DMARC."
        case "failing":
            return f"{who[0].upper()}{who[1:]} that failed in no report before: {_of(failed, messages)} failed DMARC."
        case "new-passing":
            return f"{who[0].upper()}{who[1:]} of which no report told before; {_messages(messages)}, and all passed."
        case "tls":
            return f"{n:,} of {messages:,} sessions of other servers to it could not be encrypted as it asks for."
        case _:
            return f"{_messages(messages)} now, against {n:,} in as long a time before."


def _messages(n: int) -> str:
    return "one message" if n == 1 else f"{n:,} messages"


def _of(some: int, every: int) -> str:
    return f"{some:,} of {_messages(every)}"
