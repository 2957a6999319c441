"""Names of the places where ciphertext lies, bound into it as associated data so that none can change places."""

from uuid import UUID


def address(person: UUID) -> bytes:
    """person.address_ct, under the person's key."""
    return b"person.address:" + person.bytes


def body(message: UUID) -> bytes:
    """message_body.body_ct, under the person's key: a mail.letter.Letter."""
    return b"message.body:" + message.bytes


def mailbox(email: UUID) -> bytes:
    """A header mailbox inside a letter, under the key of the person whom it names."""
    return b"letter.mailbox:" + email.bytes


def decision(message: UUID) -> bytes:
    """message.decision_ct, under the person's key."""
    return b"message.decision:" + message.bytes


def consent(consent_id: UUID) -> bytes:
    """consent.detail_ct, under the person's key: the wording, how, and from where."""
    return b"consent.detail:" + consent_id.bytes


def facts(message: UUID) -> bytes:
    """message.facts_ct, under the person's key: rules.kept."""
    return b"message.facts:" + message.bytes


def abuse(report: UUID) -> bytes:
    """abuse_report.words_ct, under the person's key."""
    return b"abuse_report.words:" + report.bytes


def abuse_outcome(report: UUID) -> bytes:
    """abuse_report.outcome_ct, under the person's key: what staff wrote of it."""
    return b"abuse_report.outcome:" + report.bytes


def service(message: UUID) -> bytes:
    """serve_otherwise.note_ct, under the person's key: what was written of how a notice was served."""
    return b"serve_otherwise.note:" + message.bytes


def event(message: UUID, source_key: str) -> bytes:
    """event.detail_ct, under the person's key."""
    return b"event.detail:" + message.bytes + source_key.encode()


def answer(key_hash: bytes) -> bytes:
    """idempotency.answer of a registration, under the tenant's keyset, in base64."""
    return b"idempotency.answer:" + key_hash


def request(request_id: UUID) -> bytes:
    """api_request.decision_ct, under the tenant's keyset."""
    return b"api_request.decision:" + request_id.bytes


def request_facts(request_id: UUID) -> bytes:
    """api_request.facts_ct, under the tenant's keyset: rules.kept, email by email."""
    return b"api_request.facts:" + request_id.bytes


def dkim(domain: UUID, selector: str) -> bytes:
    """dkim_key.private_ct, under the tenant's keyset."""
    return b"dkim_key.private:" + domain.bytes + selector.encode()


def suppression(index: bytes) -> bytes:
    """suppression.address_ct, under the operator's keyset."""
    return b"suppression.address:" + index


def letter(letter_id: UUID) -> bytes:
    """inbound_letter.letter_ct, under the operator's keyset."""
    return b"inbound_letter.letter:" + letter_id.bytes


def case_words(entry: UUID) -> bytes:
    """case_entry.words_ct, under the operator's keyset. A case's first entry has the case's own id."""
    return b"case_entry.words:" + entry.bytes


def case_paper(paper: UUID) -> bytes:
    """case_paper.paper_ct, under the operator's keyset."""
    return b"case_paper.paper:" + paper.bytes


def case_reporter(case: UUID) -> bytes:
    """case_reporter.address_ct, under the operator's keyset."""
    return b"case_reporter.address:" + case.bytes


def case_credit(case: UUID) -> bytes:
    """disclosure_credit.name_ct, under the operator's keyset."""
    return b"disclosure_credit.name:" + case.bytes


def account(account_id: UUID, column: str) -> bytes:
    """account.name_ct and account.address_ct, under the operator's keyset."""
    return b"account." + column.encode() + b":" + account_id.bytes


def factor(account_id: UUID, kind: str) -> bytes:
    """mfa_authenticator.data, under the operator's keyset."""
    return b"account.factor." + kind.encode() + b":" + account_id.bytes


def webhook_url(endpoint: UUID) -> bytes:
    """webhook_endpoint.url_ct, under the tenant's keyset."""
    return b"webhook_endpoint.url:" + endpoint.bytes


def webhook_secret(secret: UUID) -> bytes:
    """webhook_secret.secret_ct, under the tenant's keyset."""
    return b"webhook_secret.secret:" + secret.bytes


def access(column: str) -> bytes:
    """access_log.detail_ct and session.detail_ct, under the operator's keyset: where somebody came from."""
    return b"access." + column.encode()


def sign_on_secret(tenant: UUID) -> bytes:
    """A sign-on's client secret, in its artefact, under the tenant's keyset."""
    return b"sign_on.client_secret:" + tenant.bytes


def sign_on_outcome(ticket_hash: bytes) -> bytes:
    """sign_on_attempt.outcome_ct, under the tenant's keyset."""
    return b"sign_on_attempt.outcome:" + ticket_hash


def arrival(arrival_id: UUID, column: str) -> bytes:
    """arrival.name_ct and arrival.address_ct, under the tenant's keyset."""
    return b"arrival." + column.encode() + b":" + arrival_id.bytes


def suppression_words(act: UUID) -> bytes:
    """suppression_act.why_ct, under the client's keyset, or the operator's."""
    return b"suppression_act.why:" + act.bytes


def basis(person: UUID) -> bytes:
    """confirmation.basis_ct and person.basis_ct, under the person's own key: what a pathway rests on."""
    return b"person.basis:" + person.bytes


def import_part(import_id: UUID, n: int) -> bytes:
    """import_part.part_ct, under the tenant's keyset or the operator's."""
    return b"import.part:" + import_id.bytes + n.to_bytes(4)


def import_chunk(import_id: UUID, n: int) -> bytes:
    """import_chunk.rows_ct, likewise."""
    return b"import.chunk:" + import_id.bytes + n.to_bytes(4)


def evidence(piece: UUID) -> bytes:
    """evidence.file_ct, under the operator's keyset."""
    return b"evidence.file:" + piece.bytes


def asked(asked_id: UUID, what: str) -> bytes:
    """asked.address_ct, words_ct and answer_ct (`what`: address, words, answer), under the operator's keyset."""
    return b"asked." + what.encode() + b":" + asked_id.bytes
