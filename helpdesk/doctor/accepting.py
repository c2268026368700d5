"""Whether the mail server that sends takes mail from our addresses and to them: it is asked, and nothing is sent."""

import smtplib
from collections.abc import Iterator

from sqlalchemy import select

from helpdesk.addresses import with_token
from helpdesk.doctor.databases import is_migrated
from helpdesk.doctor.findings import Checkup, Finding, bad, fine, look
from helpdesk.extensions import mail
from helpdesk.outbound.transport import Connection, WatchedSMTP, WatchedSMTPS
from helpdesk.sites.models import Queue

AREA = "smtp"
PROBE = "probe"
ACCEPTED = (250, 251, 252)
FOR_EVER = 500
RELAY = ("5.7.1", "relay")
ALL_WELL = (
    "The mail server that sends takes mail from our addresses and to them{plus}; whether it comes in, "
    "“helpdesk mail selftest” finds out."
)
PLUS_REFUSED = (
    "{address} takes mail, but an address with a plus such as {probe} is refused: {said}; switch plus addressing on "
    "where the mailbox is, or set HELPDESK_PLUS_ADDRESSING=false."
)

Answer = tuple[int, str]


def check_addresses(checkup: Checkup) -> Iterator[Finding]:
    """May we send as HELPDESK_MAIL_FROM, HELPDESK_BOUNCE_ADDRESS and each queue, and are these taken, with a plus too?

    Silent when the server is not reached, which is told elsewhere.
    """
    if not is_migrated(checkup):
        return
    with checkup.engine.connect() as connection:
        intakes = list(connection.scalars(select(Queue.intake_address).order_by(Queue.id)))
    try:
        with checkup.app.app_context(), Connection(mail) as open_connection:
            problems = list(_problems(checkup, open_connection.host, intakes))
    except (smtplib.SMTPException, OSError):
        return
    plus = ", with a plus too" if checkup.settings.plus_addressing else ""
    yield from problems or [fine(AREA, ALL_WELL.format(plus=plus))]


def _problems(checkup: Checkup, host: WatchedSMTP | WatchedSMTPS, intakes: list[str]) -> Iterator[Finding]:
    host.ehlo_or_helo_if_needed()
    own, plus = checkup.settings.sender, checkup.settings.plus_addressing
    unwelcome = list(_as_sender(host, own, "change HELPDESK_MAIL_FROM"))
    yield from unwelcome
    remedies = dict.fromkeys(intakes, "give the queue another address")
    if bounces := checkup.settings.bounce_address:
        remedies |= {bounces: "change HELPDESK_BOUNCE_ADDRESS"}
    for address, otherwise in () if unwelcome else remedies.items():
        refused = list(_as_sender(host, address, otherwise))
        yield from refused or _as_recipient(host, own, address, plus=plus)


def _as_sender(host: WatchedSMTP | WatchedSMTPS, sender: str, otherwise: str) -> Iterator[Finding]:
    code, said = _ask(host, sender)
    if code not in ACCEPTED:
        refused = f"The mail server that sends takes no mail from {sender}: {said}"
        remedy = f"let our login there send as it, or {otherwise}."
        yield (bad if code >= FOR_EVER else look)(AREA, f"{refused}; {remedy}")


def _as_recipient(host: WatchedSMTP | WatchedSMTPS, sender: str, address: str, *, plus: bool) -> Iterator[Finding]:
    code, said = _ask(host, sender, address)
    if code not in ACCEPTED:
        remedy = "sign in there: HELPDESK_SMTP_USERNAME" if _is_relaying(said) else "does that mailbox exist?"
        yield (bad if code >= FOR_EVER else look)(
            AREA, f"The mail server that sends takes no mail from {sender} to {address}: {said}; {remedy}"
        )
        return
    probe = with_token(address, PROBE)
    code, said = _ask(host, sender, probe) if plus else (ACCEPTED[0], "")
    if code >= FOR_EVER:
        yield bad(AREA, PLUS_REFUSED.format(address=address, probe=probe, said=said))


def _ask(host: WatchedSMTP | WatchedSMTPS, sender: str, recipient: str | None = None) -> Answer:
    """What is said of a mail from `sender`, and to `recipient` if any; then it is forgotten (RFC 5321 §4.1.1.5)."""
    code, answer = host.mail(sender)
    if recipient is not None and code in ACCEPTED:
        code, answer = host.rcpt(recipient)
    host.rset()
    return code, f"{code} {answer.decode(errors='replace')}".replace("\n", " ")


def _is_relaying(said: str) -> bool:
    return any(word in said.lower() for word in RELAY)
