"""Bounces for tests, in the forms that mail systems write."""


def dsn(
    *groups,
    text="",
    subject="Undelivered Mail Returned to Sender",
    returned="To: ann@example.net\nMessage-ID: <m1@ours.example>",
):
    """A notification of RFC 3464; each group is a recipient's fields."""
    fields = "\n\n".join(["Reporting-MTA: dns; mx.example", *groups])
    return (
        f"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: {subject}\nTo: sender@ours.example\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\n\n{text}\n--b\nContent-Type: message/delivery-status\n\n{fields}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\n{returned}\n--b--\n"
    ).encode()


def group(diagnostic="", status="5.0.0", action="failed", recipient="rfc822; ann@example.net", more=""):
    lines = [
        f"Final-Recipient: {recipient}",
        f"Action: {action}",
        f"Status: {status}",
        f"Diagnostic-Code: {diagnostic}",
    ]
    return "\n".join([*lines, more] if more else lines)


def plain(text, subject="failure notice", sender="MAILER-DAEMON@mx.example", more=""):
    """A bounce in prose."""
    return f"From: {sender}\nSubject: {subject}\nTo: sender@ours.example\n{more}\n{text}".encode()
