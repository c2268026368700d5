"""Bounces: whom a mail could not reach, why, and which of our mails it was (RFC 3464 and the odd ones)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from flufl.bounce import all_failures

from helpdesk.inbound.headers import read_ids
from helpdesk.inbound.mailboxes import Mailbox, is_daemon, read_mailboxes
from helpdesk.inbound.parsing import NamedFailures, ParsedEmail
from helpdesk.inbound.reports import Fields

CUES_NEEDED = 2
LEGACY_BYTES = 64 * 1024
TEXT_CHARACTERS = 20_000
DIAGNOSTIC_CHARACTERS = 500
RECIPIENTS = 50

_FAILED_ACTIONS = frozenset({"failed", "delayed"})
_ARRIVED_ACTIONS = frozenset({"delivered", "relayed", "expanded", "delayed"})
# RFC 3463: no such mailbox or host, moved, or no route to the host; a full mailbox or a policy is not that.
_HARD_STATUS = re.compile(r"5\.(?:1\.(?:1|2|3|4|6|10)|4\.4)")
_STATUS = re.compile(r"\b([245]\.[0-9]{1,3}\.[0-9]{1,3})\b(?!\.)")
_STATUS_FIELD = re.compile(r"^status:[ \t]{0,8}([245]\.[0-9]{1,3}\.[0-9]{1,3})\b", re.IGNORECASE | re.MULTILINE)
_ANSWER = re.compile(r"^.{0,200}\b[45][0-9]{2}(?:[ -]|: ).{1,300}$", re.MULTILINE)
_MESSAGE_ID = re.compile(r"^[ \t>]{0,4}message-id:[ \t]{0,8}(<[^<>\s]{1,998}>)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"\b[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_UNKNOWN_PERSON = re.compile(
    r"user unknown|unknown user|no such (?:user|recipient|mailbox|person|address)|does(?: not|n.t) exist"
    r"|mailbox (?:not found|unavailable)|address not found|host not found|(?:host|domain) unknown"
    r"|unknown (?:host|domain|recipient|address|mailbox)|recipient (?:not found|unknown)"
    r"|invalid (?:recipient|mailbox)|no mailbox here|wasn.t found at|address rejected"
    r"|user not found|not listed in|no longer (?:with|valid|in use|available)|empfänger unbekannt|adresse n.existe pas",
    re.IGNORECASE,
)
_FULL_MAILBOX = re.compile(r"quota|mailbox (?:is )?full|over ?limit|too large|blocked|spam|policy", re.IGNORECASE)
_DELAY = re.compile(r"delayed|warning", re.IGNORECASE)
_STILL_TRYING = re.compile(
    r"will (?:be retried|retry|keep trying|continue (?:on )?trying)|still being retried|\(delay\)"
    r"|not yet been delivered|this is a warning only|no action is required on your part",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|delivery (?:status )?notification|delivery (?:report|delayed|unsuccessful)"
    r"|(?:delivery|mail|message) (?:has )?(?:failure|failed|error|problem|delayed|incomplete)"
    r"|fail(?:ed|ure) (?:notice|delivery)|returned (?:mail|to sender|e-?mail)|could not be delivered"
    r"|mail system error|mail bounced|mail delivery warning|rejected mail"
    r"|nondeliverable|non ?remis|échec de (?:la )?(?:remise|distribution)"
    r"|unzustellbar|nicht zugestellt|zustellung (?:fehlgeschlagen|verzögert)|no se puede entregar|devuelto"
    r"|non recapitabil|mancato recapito|não entregue|onbestelbaar|niet bezorgd|kan inte levereras"
    r"|ikke leveres|не доставлено|недоставлен|退信|投递失败|无法投递|配信不能|配信できません",
    re.IGNORECASE,
)
_SYSTEM_NAME = re.compile(r"mail delivery (?:sub)?system|mail administrator|mailer.daemon", re.IGNORECASE)
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global"})
_ANSWERS = re.compile(r"\s{0,3}(?:re|aw|sv|antw|fwd?|wg|tr|rv)\s{0,2}:", re.IGNORECASE)


@dataclass(frozen=True)
class Failure:
    """One address that our mail did not reach: its status (RFC 3463), whether for good, and the server's words."""

    address: str
    status: str | None
    permanent: bool
    reason: str


@dataclass(frozen=True)
class Bounce:
    """Whom our mail did not reach.

    `hard` means that the address is no use, `delayed` that the server is still trying.
    """

    recipients: tuple[str, ...]
    status: str | None
    diagnostic: str
    hard: bool
    original_message_id: str | None
    delayed: bool
    each: tuple[Failure, ...] = field(default=(), compare=False)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What is known of each recipient; of all the same when the bounce does not tell them apart."""
        permanent = not self.delayed and not (self.status or "5").startswith("4")
        same = (Failure(address, self.status, permanent, self.diagnostic) for address in self.recipients)
        return self.each or tuple(same)


def read_bounce(mail: ParsedEmail) -> Bounce | None:
    """The bounce that the mail is, or None: by RFC 3464 parts, else by known formats, else by two cues."""
    groups = [group for group in (mail.report.groups if mail.report else ()) if _failed(group)]
    if groups:
        return _from_groups(mail, groups)
    found = cues(mail)
    if not found or not _may_bounce(mail, found):
        return None
    temporary, permanent = mail.named_failures or named_failures(mail)
    if temporary or permanent or len(found) >= CUES_NEEDED:
        return _from_text(mail, permanent or temporary, delayed=bool(temporary) and not permanent)
    return None


def cues(mail: ParsedEmail) -> tuple[str, ...]:
    """What makes the mail look like a bounce, in words for staff."""
    seen = {
        "null sender": mail.return_path == "",
        "sent by the mail system": mail.from_ is not None and _is_system(mail.from_),
        "subject of a bounce": bool(_SUBJECT.search(mail.subject)),
        "X-Failed-Recipients": bool(mail.first_of("X-Failed-Recipients")),
        "multipart/report": mail.report is not None and mail.report.kind in ("report", "delivery-status"),
        "our mail came back with it": any(part.media_type in _RETURNED for part in mail.attachments),
    }
    found = tuple(cue for cue, is_seen in seen.items() if is_seen)
    return () if found == ("our mail came back with it",) else found


def _is_system(sender: Mailbox) -> bool:
    return is_daemon(sender.address) or bool(_SYSTEM_NAME.search(sender.name))


def _may_bounce(mail: ParsedEmail, found: tuple[str, ...]) -> bool:
    """Not a receipt, a report of success, an automatic reply, or a person writing about a bounce."""
    if mail.report and mail.report.kind in ("disposition-notification", "feedback-report"):
        return "rejected" in mail.first_of("Auto-Submitted").lower()
    if mail.report and any(_action(group) for group in mail.report.groups):
        return False
    if "subject of a bounce" in found and set(found) <= {"subject of a bounce", "our mail came back with it"}:
        return not _ANSWERS.match(mail.subject) and not mail.in_reply_to
    return found != ("null sender",) or not mail.first_of("Auto-Submitted").lower().startswith("auto-replied")


def _from_groups(mail: ParsedEmail, groups: list[Fields]) -> Bounce:
    recipients = _unique(_recipient(group) for group in groups)
    status = next(filter(None, (_status(_value(group, "status")) for group in groups)), None)
    said = next(filter(None, (_value(group, "diagnostic-code") for group in groups)), "")
    diagnostic = said.partition(";")[2].strip() or said or _diagnostic(mail.text)
    delayed = all(_action(group) == "delayed" for group in groups)
    status = _specific(status, diagnostic)
    hard = not delayed and _is_hard(status, diagnostic)
    each = tuple(_failure(group) for group in groups if _recipient(group))[:RECIPIENTS]
    said = diagnostic[:DIAGNOSTIC_CHARACTERS]
    return Bounce(recipients, status, said, hard, original_id(mail), delayed, each)


def _specific(status: str | None, said: str) -> str | None:
    """The status, or the one in the server's own words when the field says as much as "something failed"."""
    return (_status(said) or status) if status is None or status.endswith(".0.0") else status


def _failure(group: Fields) -> Failure:
    diagnostic = _value(group, "diagnostic-code")
    said = diagnostic.partition(";")[2].strip() or diagnostic
    status = _specific(_status(_value(group, "status")), said)
    permanent = _action(group) != "delayed" and not (status or "5").startswith("4")
    return Failure(_recipient(group), status, permanent, said[:DIAGNOSTIC_CHARACTERS])


def _from_text(mail: ParsedEmail, recipients: tuple[str, ...], *, delayed: bool) -> Bounce:
    text = mail.text[:TEXT_CHARACTERS]
    failed = [box.address for box in read_mailboxes(list(mail.all_of("X-Failed-Recipients")), limit=RECIPIENTS)]
    field = _STATUS_FIELD.search(text)
    status = field[1] if field else _status(_diagnostic(text) or text)
    is_over = (status or "").startswith("5")
    delayed = delayed or (not is_over and _says_delayed(mail, text, is_vague=not recipients))
    diagnostic, sent_id = _diagnostic(text) or _cause(text), original_id(mail)
    hard = not delayed and _is_hard(status, diagnostic or text)
    named = _unique(address for address in recipients if address != sent_id)
    return Bounce(_unique(failed) or named or _named_in_text(mail, sent_id), status, diagnostic, hard, sent_id, delayed)


def _says_delayed(mail: ParsedEmail, text: str, *, is_vague: bool) -> bool:
    if is_vague and _DELAY.search(mail.subject):
        return True
    return bool(_STILL_TRYING.search(mail.subject) or _STILL_TRYING.search(text))


def named_failures(mail: ParsedEmail) -> NamedFailures:
    """Temporary and permanent failures as flufl.bounce reads them out of three dozen old formats."""
    message = message_from_bytes(mail.raw[:LEGACY_BYTES], policy=policy.compat32)
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # its detectors fail on odd mail; what they cannot read the cues decide
        return (), ()
    return _addresses(temporary), _addresses(permanent)


def _named_in_text(mail: ParsedEmail, sent_id: str | None) -> tuple[str, ...]:
    """The first address that the text names beside those of the bounce's own sender and recipients."""
    known = {(sent_id or "").lower()} | {
        box.address.lower() for box in (*mail.to, *filter(None, (mail.from_, mail.reply_to)))
    }
    named = (found.rstrip(".") for found in _ADDRESS.findall(mail.text[:TEXT_CHARACTERS]))
    return _unique(address for address in named if address.lower() not in known)[:1]


def _addresses(found: Iterable[bytes | str]) -> tuple[str, ...]:
    texts = (item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in found)
    return tuple(sorted(_unique(text.strip("<> ") for text in texts if "@" in text)))


def _recipient(group: Fields) -> str:
    named = _value(group, "original-recipient") or _value(group, "final-recipient")
    return named.rpartition(";")[2].strip(" <>")


def _failed(group: Fields) -> bool:
    """Whether the group says that a mail did not arrive, also without an action or by one RFC 3464 does not know."""
    action = _action(group)
    is_failure = (
        bool(action or _recipient(group))
        and action not in _ARRIVED_ACTIONS
        and _value(group, "status").strip()[:1] in ("4", "5")
    )
    return action in _FAILED_ACTIONS or is_failure


def _action(group: Fields) -> str:
    return _value(group, "action").split(" ")[0].strip().lower()


def _value(group: Fields, name: str) -> str:
    return next((value for key, value in group if key == name), "")


def _status(text: str) -> str | None:
    found = _STATUS.search(text)
    return found[1] if found else None


def _diagnostic(text: str) -> str:
    answer = _ANSWER.search(text[:TEXT_CHARACTERS])
    return answer.group().strip()[:DIAGNOSTIC_CHARACTERS] if answer else ""


def _cause(text: str) -> str:
    """The line that says in words what no answer of a mail server says."""
    for line in text[:TEXT_CHARACTERS].split("\n"):
        if _UNKNOWN_PERSON.search(line) or _FULL_MAILBOX.search(line):
            return line.strip()[:DIAGNOSTIC_CHARACTERS]
    return ""


def _is_hard(status: str | None, diagnostic: str) -> bool:
    if status and _HARD_STATUS.fullmatch(status):
        return True
    is_vague = status is None or status in ("5.0.0", "5.5.0", "5.3.0")
    return is_vague and bool(_UNKNOWN_PERSON.search(diagnostic)) and not _FULL_MAILBOX.search(diagnostic)


def original_id(mail: ParsedEmail) -> str | None:
    """The Message-ID of the mail that came back, as the report, the returned mail or the text quotes it."""
    returned = [mail.report.first_returned("message-id")] if mail.report else []
    attached = [part.content[:LEGACY_BYTES].decode("latin-1") for part in mail.attachments]
    texts = [text for text in attached if "essage-" in text] + [mail.text]
    quoted = [found[1] for text in texts if (found := _MESSAGE_ID.search(text))]
    ids = read_ids([value for value in [*returned, *quoted] if value][:1], 1)
    return next(iter(ids or mail.in_reply_to), None)


def _unique(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for address in addresses if address))[:RECIPIENTS]
