"""Letters: desks and reasons in the words of people. A reason that has none is shown as it is written."""

DESKS = {
    "postmaster": "Postmaster",
    "bounce": "Bounces",
    "complaint": "Complaints",
    "report": "Reports",
    "abuse": "Abuse",
    "security": "Security",
    "privacy": "Privacy",
}
# reason -> (its name, what a person may make of it)
REASONS = {
    "letter": ("To a person", "Somebody wrote to one of our addresses for people."),
    "own-data": (
        "About personal data",
        "Somebody whose letter is certainly theirs wrote to privacy@: they are owed an answer in time.",
    ),
    "forged": ("Not signed by us", "It came to a return path that we never made; nothing it says was believed."),
    "expired": ("Too late", "Its return path was ours, and is past its time; nothing it says was believed."),
    "malformed": ("No return path", "Its address is none that we make."),
    "unreadable": ("Cannot be read", "A fault of ours kept it from being read: tell the operator’s engineers."),
    "not-a-bounce": ("No bounce", "It came to a good return path and tells of no failure: often a person’s answer."),
    "challenge": ("Asks for proof", "The recipient’s mail asks the sender to prove something; nobody answers it."),
    "feedback": ("A complaint by another way", "A feedback report that came to a return path; look whether it is one."),
    "other-message": ("Of another message", "It came to one message’s return path and encloses another of ours."),
    "no-recipient": ("Names nobody", "It says that something failed, and not for whom."),
    "unsigned": ("Not signed", "Whoever sent it did not sign it, so it was not believed."),
    "bad-signature": ("Signature does not hold", "It is signed, and was changed or signed by another; not believed."),
    "not-enrolled": ("Loop not enrolled", "It is signed by nobody whose feedback loop is enrolled; not believed."),
    "other-sender": (
        "Not the loop’s sender",
        "The signature holds and is no enrolled loop’s with its own sender; not believed.",
    ),
    "no-token": ("Names no message of ours", "It is believed, and holds nothing by which a message of ours is found."),
    "flood": ("Of a flood", "More came in a short time than become cases; each of these is one of the rest."),
    "foreign": ("About a foreign domain", "The report is about a domain that is no client’s and not ours."),
    "untimely": ("Out of time", "The report tells of days that are too long ago, still to come, or too many."),
    "full": ("More than a day takes", "So many reports came in a day that this one was not counted."),
    "empty": ("Empty", "There is no report in it: a file or letter without content."),
    "large": ("Too large", "The report is larger than any honest one, so it was not read."),
    "ratio": ("Packed too tightly", "It unpacks to far more than it is: such files are made to do harm."),
    "nested": ("Packed twice", "It is an archive in an archive, which no reporter sends."),
    "many": ("Too many files", "The archive or letter holds more files than a report has."),
    "doubled": ("One name twice", "The archive holds one name twice, so nobody can say which is meant."),
    "locked": ("Locked", "The archive asks for a password."),
    "method": ("Unknown packing", "The archive is packed in a way that reports are not."),
    "broken": ("Broken archive", "The archive ends too soon or does not fit its own sums."),
    "xml": ("Broken XML", "It looks like a DMARC report and cannot be read as XML, also not by the lenient reader."),
    "json": ("Broken JSON", "It looks like a TLS report and cannot be read as JSON."),
    "doctype": (
        "Declares entities",
        "Its XML declares a document type, which no report needs and which is how harm is done.",
    ),
    "deep": ("Nested too deeply", "Its XML or JSON goes deeper than any report does."),
    "not-a-report": ("No report", "It came to an address for reports, and there is none in it."),
    "failure-report": (
        "About one message",
        "It is a report about a single message (ruf), which is not asked for or read.",
    ),
    "incomplete": ("Incomplete", "The report lacks what every report has, or says nothing of any mail."),
    "no-dates": ("Without days", "The report does not say which days it is of."),
    "no-domain": ("Without a domain", "The report does not say which domain it is about."),
    "no-reporter": ("Without a reporter", "The report does not say who made it."),
    "unknown-loop": ("Unknown feedback loop", "It is signed by somebody whose feedback loop is not enrolled."),
}
# what is counted and not kept
COUNTED = {
    "failed": "Failures told", "delayed": "Delays told", "delivered": "Deliveries told",
    "relayed": "Passed on", "expanded": "Passed on to several", "auto-reply": "Answering machines",
    "message-gone": "Of messages no longer kept",
}  # fmt: skip
PEOPLE = ("postmaster", "abuse", "security", "privacy")


def desk(code: str) -> str:
    return DESKS.get(code, code)


def reason(code: str) -> str:
    if code in REASONS:
        return REASONS[code][0]
    return COUNTED.get(code) or code.replace("-", " ").capitalize()


def meaning(code: str) -> str:
    return REASONS[code][1] if code in REASONS else ""
