"""Mail addresses: one spelling for matching, and the reply addresses that carry a token."""

import re
from email.header import Header
from email.utils import formataddr

import idna
from email_validator import EmailNotValidError, validate_email

from helpdesk.errors import Invalid

CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
MAX_LENGTH = 254
_LONGEST_LINE = 900  # in characters; with the header's name below the 998 of RFC 5322 §2.1.1
_MAILBOX = re.compile(r'(?:[^\s<>()\[\],;:\\"@]+|"(?:[^"\\]|\\.)*")@(?:[^\s<>()\[\],;:\\"@]+|\[[0-9A-Za-z:.]+\])')


def check(address: str) -> str:
    """The address as a person typed it, cleaned. Raises Invalid with a sentence when it cannot be one (RFC 5321)."""
    if CONTROL.search(address.strip()) or len(address) > MAX_LENGTH:
        raise Invalid("Enter an email address like name@example.org")
    try:
        return validate_email(address.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Invalid("Enter an email address like name@example.org") from error


def normalise(address: str) -> str:
    """One spelling for matching: case folded, domain in IDNA; dots and plus stay, they may name somebody else."""
    local, at, domain = address.strip().rpartition("@")
    if not at:
        return address.strip().casefold()
    return f"{local.casefold()}@{_ascii(domain)}"


def mailbox_of(address: str) -> str:
    """The box that an address most likely leads to, for limits alone: what may be added to its name is left out."""
    local, _, domain = normalise(address).rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def domain_of(address: str) -> str:
    """The part behind the @, in ASCII."""
    return _ascii(address.rpartition("@")[2])


def with_token(address: str, token: str) -> str:
    """`support@example.org` with a token: `support+<token>@example.org` (RFC 5321 §4.5.3.1.1)."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}"


def split_token(address: str) -> tuple[str, str] | None:
    """The address without its token, and the token, or None when it carries none; the address may have a plus too."""
    local, at, domain = address.strip().rpartition("@")
    base, plus, token = local.rpartition("+")
    return (f"{base}@{domain}", token) if at and plus and token else None


def on_the_wire(address: str) -> str:
    """The address as SMTP takes it, its domain in IDNA. Raises Invalid when it is not one mailbox (RFC 5321 §4.1.2)."""
    if not is_mailbox(address):
        raise Invalid(f"{address!r} is no address that mail can be sent to.")
    return _in_ascii_domain(address)


def is_mailbox(address: str) -> bool:
    """True when SMTP takes this as one mailbox (RFC 5321 §4.1.2)."""
    return CONTROL.search(address) is None and _MAILBOX.fullmatch(address) is not None


def needs_utf8(address: str) -> bool:
    """True when only a server with SMTPUTF8 takes this address: its part before the @ is not ASCII (RFC 6531)."""
    return not address.rpartition("@")[0].isascii()


def bare_spellings(address: str) -> tuple[str, ...]:
    """How an address may be spelled in one of our rows: as it is, and without what stands behind its last plus."""
    parts = split_token(address)
    return (normalise(address), normalise(parts[0])) if parts else (normalise(address),)


def named(name: str, address: str) -> str:
    """`Ruth <ruth@example.org>` for a header; control characters in the name become blanks."""
    shown, box = CONTROL.sub(" ", name).strip(), _in_ascii_domain(address)
    whole = formataddr((shown, box)) if box.isascii() else ""
    return whole if 0 < len(whole) <= _LONGEST_LINE else f"{Header(shown, 'utf-8').encode(linesep='')} <{box}>"


def _in_ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_ascii(domain)}"


def _ascii(domain: str) -> str:
    """In lower case and IDNA 2008, for which straße.example and strasse.example are two (RFC 5891, UTS 46)."""
    lowered = domain.strip().lower()
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode()
    except idna.IDNAError:
        return lowered
