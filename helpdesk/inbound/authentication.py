"""What the owner's own mail servers say of a mail: whether its sender is forged (RFC 8601), whether it is spam.

Both are only ever held against a mail. Whoever makes such a header up harms nobody's mail but his own.
"""

import re

from helpdesk.inbound.parsing import ParsedEmail

RSPAMD_ADDS_HEADER_AT = 6.0  # the score from which Rspamd marks a mail unless told otherwise
REASON_CHARACTERS = 60

_RESULT = re.compile(r"\s*([A-Za-z0-9-]{1,30})\s*(?:/\s*[0-9]{1,4}\s*)?=\s*([A-Za-z]{1,20})")
_BY = re.compile(r"\bby\s{1,10}([A-Za-z0-9._-]{1,255})")
_YES = re.compile(r"yes\b", re.IGNORECASE)
_MARKED = re.compile(r"(?:add header|rewrite subject|quarantine|soft reject|reject)\b", re.IGNORECASE)
_RSPAMD_RESULT = re.compile(
    r"[^:]{0,40}:\s*(True|False)\s*\[\s*(-?[0-9.]{1,10})\s*/\s*([0-9.]{1,10})\s*\]", re.IGNORECASE
)
_NUMBER = re.compile(r"\s*(-?[0-9]{1,5}(?:\.[0-9]{1,4})?)")
_FAILED = re.compile(r"\bdmarc=fail\b", re.IGNORECASE)


def is_forged(mail: ParsedEmail, *, hosts: frozenset[str]) -> bool:
    """True when DMARC failed, as the topmost Authentication-Results of one of our `hosts` says (lower case)."""
    read = (read_results(value) for value in mail.all_of("Authentication-Results"))
    ours = next((results for host, results in read if host in hosts), {})
    return ours.get("dmarc") == "fail"


def may_be_forged(mail: ParsedEmail) -> bool:
    """True when any header at all says that DMARC failed: enough to send no receipt where no host is trusted."""
    return any(_FAILED.search(result) for result in mail.all_of("Authentication-Results"))


def read_results(value: str) -> tuple[str, dict[str, str]]:
    """Who says so (the authserv-id) and the first result of each method, in lower case (RFC 8601 §2.2)."""
    head, *rest = _bare(value).split(";")
    host = (head.split() or [""])[0].strip('"').lower()
    found = (match for part in rest if (match := _RESULT.match(part)))
    results: dict[str, str] = {}
    for match in found:
        results.setdefault(match[1].lower(), match[2].lower())
    return host, results


def spam_reason(mail: ParsedEmail, *, hosts: frozenset[str]) -> str | None:
    """Why one of our `hosts` calls this mail spam, None when none does.

    Believed only when the topmost Received or Authentication-Results names one of them, and from a header that stands
    there once: two can contradict each other, and one may have come from outside.
    """
    if not _came_through(mail, hosts):
        return None
    for name, says_spam in _HEADERS:
        values = mail.all_of(name)
        if len(values) == 1 and says_spam(values[0]):
            return f"the mail server says so ({name}: {values[0].strip()[:REASON_CHARACTERS]})"
    return None


def _came_through(mail: ParsedEmail, hosts: frozenset[str]) -> bool:
    received = _BY.search(_bare(mail.first_of("Received")))
    named = {
        received[1].lower().rstrip(".") if received else "",
        read_results(mail.first_of("Authentication-Results"))[0],
    }
    return not hosts.isdisjoint(named)


def _is_high(value: str) -> bool:
    score = _NUMBER.match(value)
    return score is not None and float(score[1]) >= RSPAMD_ADDS_HEADER_AT


def _is_rspamd_spam(value: str) -> bool:
    found = _RSPAMD_RESULT.match(value)
    return found is not None and (found[1].lower() == "true" or _is_high(found[2]))


_HEADERS = (
    ("X-Spam-Flag", _YES.match),
    ("X-Spam-Status", _YES.match),
    ("X-Spam", _YES.match),
    ("X-Rspamd-Action", _MARKED.match),
    ("X-Spamd-Result", _is_rspamd_spam),
    ("X-Rspamd-Score", _is_high),
)


def _bare(value: str) -> str:
    """The value without comments, which may nest, and with nothing in its quoted words that could cut it."""
    kept, depth, is_quoted, is_escaped = [], 0, False, False
    for character in value:
        if is_escaped:
            is_escaped = False
        elif character == "\\" and (is_quoted or depth):
            is_escaped = True
        elif character == '"' and not depth:
            is_quoted = not is_quoted
        elif character in "()" and not is_quoted:
            depth = max(0, depth + (1 if character == "(" else -1))
        elif not depth:
            kept.append(" " if is_quoted and character in ";=" else character)
    return "".join(kept)
