"""LMTP (RFC 2033): a mail server hands mail over and is answered only when it is kept, once for each recipient."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session
from flask import Flask

from helpdesk.columns import storable
from helpdesk.inbound.receiving import receive

log = logging.getLogger(__name__)

MAX_BYTES = 50 * 1024 * 1024
MOST_RECIPIENTS = 100  # RFC 5321 §4.5.3.1.8
NULL_SENDER = "<>"

KEPT = "250 2.0.0 The mail is kept."
NOT_NOW = "451 4.3.0 The mail could not be kept just now; try again later."
TOO_LARGE = f"552 5.3.4 This mail is larger than {MAX_BYTES // 1024 // 1024} MB."
NO_MAIL = "554 5.6.0 There was no mail."
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients; send the mail again for the others."
TOO_MANY_CONNECTIONS = "421 4.3.2 Too many connections; try again later."
OUT_OF_TIME = "421 4.4.2 This connection took too long; try again."
ENDING = "421 4.3.2 This desk is being restarted; try again."


class Envelopes:
    """What the protocol asks about one step of a conversation; keeping a mail is work for `run`, in a thread."""

    async def handle_EHLO(  # noqa: N802 the name is the protocol's
        self, server: LMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """Offer what every LMTP server must (RFC 2033 §5)."""
        session.host_name = hostname
        return [*lines[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", *lines[-1:]]

    async def handle_RCPT(  # noqa: N802 the name is the protocol's
        self, server: LMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take every recipient: what belongs to no queue goes to the first, as with any other door."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY_RECIPIENTS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 This recipient is fine."

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours is never the mail's: it stays with the mail server, and nothing of it is told."""
        log.error("a conversation by LMTP failed", exc_info=error)
        return NOT_NOW


class Conversation(LMTP):
    """One connection: at most so long, and never cut between keeping a mail and saying so."""

    line_length_limit = 64 * 1024  # of what is read at once; a mail may have longer lines

    def __init__(
        self,
        keep: Callable[[bytes, str, tuple[str, ...]], "asyncio.Future[str]"],
        connections: set["Conversation"],
        *,
        most: int,
        seconds: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(
            Envelopes(), data_size_limit=MAX_BYTES, enable_SMTPUTF8=True, hostname=socket.gethostname(),
            ident="Helpdesk LMTP", timeout=2 * seconds, loop=loop,
        )  # fmt: skip
        self._keep, self._connections, self._most, self._seconds = keep, connections, most, seconds
        self._deadline: asyncio.TimerHandle | None = None
        self._is_keeping, self._farewell = False, ""

    def connection_made(self, transport: Any) -> None:
        """Begin, unless there are as many conversations as there may be."""
        if len(self._connections) >= self._most:
            transport.write(TOO_MANY_CONNECTIONS.encode() + b"\r\n")
            transport.close()
            return
        self._connections.add(self)
        self._deadline = self.loop.call_later(self._seconds, self._timeout_cb)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Make room for the next."""
        if self in self._connections:
            self._connections.discard(self)
            if self._deadline is not None:
                self._deadline.cancel()
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """Nobody talks any more; a connection that was turned away has nothing to end."""
        return super().eof_received() if self in self._connections else None

    @property
    def is_busy(self) -> bool:
        """True while a mail is on its way."""
        return self.envelope is not None and self.envelope.mail_from is not None

    def finish(self) -> None:
        """End now, or right after the mail that is on its way."""
        self._farewell = ENDING
        if not self.is_busy:
            self.end(ENDING)

    def end(self, sentence: str) -> None:
        """Say goodbye and hang up; what is not answered yet will be sent again."""
        transport: Any = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(sentence.encode() + b"\r\n")
            transport.close()

    async def push(self, status: Any) -> None:
        """Answer, with an enhanced status (RFC 2034 §4) where the protocol's own words have none."""
        await super().push(_enhanced(status) if isinstance(status, str) else status)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 the name is the protocol's
        """Read one mail and answer once for each recipient (RFC 2033 §4.2)."""
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            return await self.push("503 5.5.1 There is no recipient.")
        if arg:
            return await self.push("501 5.5.4 Syntax: DATA")
        await self.push("354 End with <CR><LF>.<CR><LF>")
        raw = await self._read_mail()
        self._is_keeping = True
        status = await self._status_of(raw, envelope)
        self.envelope, self._is_keeping = self._create_envelope(), False
        await self.push("\r\n".join([status] * len(envelope.rcpt_tos)))
        if self._farewell:
            self.end(self._farewell)
        return None

    def _timeout_cb(self) -> None:
        """Called by the protocol too, which counts anew with each command."""
        self._farewell = OUT_OF_TIME
        if not self._is_keeping:
            self.end(OUT_OF_TIME)

    async def _status_of(self, raw: bytes | None, envelope: Envelope) -> str:
        if raw is None:
            return TOO_LARGE
        if not raw.strip():
            return NO_MAIL
        sender = "" if envelope.mail_from == NULL_SENDER else storable(envelope.mail_from or "")
        return await self._keep(raw, sender, tuple(storable(address) for address in envelope.rcpt_tos))

    async def _read_mail(self) -> bytes | None:
        """The mail up to the dot alone between two CRLF and nothing that looks like it; None when it is too large."""
        mail, size, begins_line = bytearray(), 0, True
        while True:
            piece, ends_line = await self._read_piece()
            if begins_line and piece == b".\r\n":
                return bytes(mail) if size <= MAX_BYTES else None
            text = piece[1:] if begins_line and piece.startswith(b".") else piece
            size += len(text)
            if size <= MAX_BYTES:
                mail += text
            else:
                mail.clear()
            begins_line = ends_line

    async def _read_piece(self) -> tuple[bytes, bool]:
        """A line, or a part of one that is very long, and whether the line ends with it."""
        try:
            return await self._reader.readuntil(b"\r\n"), True
        except asyncio.LimitOverrunError as error:
            return await self._reader.read(error.consumed), False


def keep_mail(app: Flask, raw: bytes, sender: str, recipients: tuple[str, ...]) -> str:
    """Keep one mail for good, whatever it says; returns the answer for each of its recipients."""
    try:
        with app.app_context():
            receive(raw, envelope_from=sender, envelope_to=recipients)
    except Exception:  # a mail that could not be kept stays with the mail server, whatever the reason
        log.exception("a mail that came by LMTP could not be kept")
        return NOT_NOW
    return KEPT


def _enhanced(status: str) -> str:
    """`250 OK` as `250 2.0.0 OK`; greeting, intermediate answers and the list of what we can stay as they are."""
    code, space, words = status[:3], status[3:4], status[4:]
    is_plain = space == " " and code[0] in "245" and words[1:2] != "." and code != "220" and words != "HELP"
    return f"{code} {code[0]}.0.0 {words}" if is_plain else status


__all__ = ["Conversation", "keep_mail"]
