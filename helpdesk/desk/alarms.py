"""What all staff must know at once: mail that does not leave, or does not come in."""

SENTENCES = {
    "not sent": "Mail does not leave: {why}. It is kept, and tried again and again.",
    "not tried": "Mail waits and nobody sends it. Is the worker running?",
    "not read": "Mail that came in waits and nobody reads it. Is the worker running?",
    "not fetched": "The mailbox “{name}” cannot be read: {why}. It is tried again and again.",
}


def sentence_of(kind: str, detail: str | None) -> str:
    """An alarm's row for people."""
    name, _, reason = (detail or "").partition("\n")
    why = reason.rstrip(".") or "nobody says why"
    return SENTENCES[kind].format(name=name, why=why)
