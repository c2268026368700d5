"""The rows that one ticket leaves behind, as the desk would have written them: message by message, mail by mail."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.corpus import ARTICLES, PAGE_TICKETS, PAGE_WORD, Prose, Story
from helpdesk.addresses import with_token
from helpdesk.tokens import Keyring, Kind

YEARS = timedelta(days=3 * 365)
INTAKE = "letters{}@example.org"
SENDER = "The Tidewater Post"
SIGNATURE = "The Tidewater Post\n3 Quay Lane"
RESOLUTIONS = ("answered", "answered", "answered", "corrected", "no_action")
COLUMNS: dict[str, tuple[str, ...]] = {
    "article": ("id", "site_id", "canonical_url", "title", "created_at"),
    "reader": ("id", "name", "address", "created_at"),
    "reader_address": ("id", "reader_id", "address"),
    "ticket": (
        "id", "number", "site_id", "queue_id", "topic_id", "article_id", "reader_id", "assignee_id", "subject",
        "status", "resolution", "origin", "wants_answer", "opened_at", "waiting_since", "sort_at", "first_replied_at",
        "closed_at", "preview", "message_count", "last_message_at", "last_message_kind",
    ),
    "message": (
        "id", "ticket_id", "home_ticket_id", "kind", "agent_id", "reader_id", "outbound_email_id", "from_name",
        "from_address", "recipients", "body_text", "signature", "submission_key", "content_hash", "message_id",
        "created_at",
    ),
    "event": ("id", "ticket_id", "kind", "by_agent_id", "by_reader_id", "at", "data"),
    "outbound_email": (
        "id", "message_id", "sender", "reply_to", "envelope_from", "subject", "template", "context", "headers", "files",
        "thread_token", "created_at",
    ),
    "outbound_recipient": ("id", "email_id", "address", "state", "attempts", "queued_at", "settled_at"),
    "inbound_email": (
        "id", "storage_key", "queue_id", "envelope_to", "message_id", "content_hash", "from_address", "subject",
        "state", "reason", "attempts", "became_id", "received_at",
    ),
    "search_message": ("id", "ticket_id", "body"),
}  # fmt: skip

Row = tuple[str, tuple[object, ...]]


@dataclass(frozen=True)
class Staff:
    """Who may answer, by id and name, in which queues, and how many topics there are."""

    agents: tuple[tuple[int, str, str], ...]
    queues: tuple[int, ...]
    searched: tuple[int, ...]
    topics: tuple[int, ...]


class Scribe:
    """Turns stories into rows; counts the ids of every table by itself."""

    def __init__(self, staff: Staff, *, keyring: Keyring, tickets: int, now: datetime, chance: random.Random) -> None:
        self.staff, self.keyring, self.chance, self.now = staff, keyring, chance, now
        self.prose = Prose(chance)
        self.every, self.known_from = max(1, tickets // PAGE_TICKETS), tickets - 1
        self.last: dict[str, int] = dict.fromkeys(COLUMNS, 0)

    def articles(self) -> Iterator[Row]:
        """The pages that readers write about."""
        for number in range(1, ARTICLES + 1):
            title = self.prose.text()[:60].rpartition(" ")[0].capitalize()
            yield self._row("article", 1, article_url(number), title, _written(self.now - YEARS))

    def ticket(self, story: Story) -> Iterator[Row]:
        """Everything that belongs to one ticket."""
        has_page_word = story.number % self.every == 0 and story.number // self.every <= PAGE_TICKETS
        is_seen = has_page_word or story.number % 2 or story.number >= self.known_from
        queue = self.chance.choice(self.staff.searched if is_seen else self.staff.queues)
        opened = self.now - YEARS + YEARS * story.place * 0.9999
        agent = self.chance.choice(self.staff.agents)
        who = reader_address(story.reader) if story.reader else ""
        if story.reader and story.is_new_reader:
            yield ("reader", (story.reader, reader_name(story.reader), who, _written(opened)))
            yield self._row("reader_address", story.reader, who)
        bodies = [self.prose.message() for _ in range(story.messages)]
        if has_page_word:
            bodies[0] += f" {PAGE_WORD}"
        gap = min(timedelta(hours=self.chance.random() * 40), (self.now - opened) / (story.messages + 1))
        times = [opened + gap * index for index in range(story.messages)]
        thread = Thread(self, story, queue, agent, who, bodies, times)
        yield from thread.rows()

    def _row(self, table: str, *values: object) -> Row:
        return (table, (self.next(table), *values))

    def next(self, table: str) -> int:
        """The next id of a table."""
        self.last[table] += 1
        return self.last[table]


class Thread:
    """One ticket with all its messages, while its rows are written."""

    def __init__(
        self, scribe: Scribe, story: Story, queue: int, agent: tuple[int, str, str], who: str,
        bodies: list[str], times: list[datetime],
    ) -> None:  # fmt: skip
        self.scribe, self.story, self.queue, self.agent, self.who = scribe, story, queue, agent, who
        self.bodies, self.times = bodies, times
        self.subject = _subject(bodies[0])
        self.intake = intake_address(queue)
        token = scribe.keyring.issue(Kind.READER_REPLY, story.number.to_bytes(5))
        self.reply_to = with_token(self.intake, token)

    def rows(self) -> Iterator[Row]:
        """The ticket first, then what was said and done."""
        yield self._ticket()
        for index, (body, at) in enumerate(zip(self.bodies, self.times, strict=True)):
            yield from self._reply(index, body, at) if index % 2 else self._letter(index, body, at)
        if not self.story.is_open:
            data = {"before": "open", "resolution": "answered"}
            yield self._event("closed", self._closed_at(), data, agent=self.agent[0])

    def _ticket(self) -> Row:
        story, waits, last = self.story, self.story.is_open and len(self.bodies) % 2 == 1, _written(self.times[-1])
        status = ("new" if len(self.bodies) == 1 else "open") if story.is_open else "closed"
        resolution = None if story.is_open else self._resolution()
        replied = len(self.bodies) > 1
        topic = self.scribe.chance.choice(self.scribe.staff.topics)
        return (
            "ticket",
            (
                story.number, story.number, 1, self.queue, topic, story.article, story.reader or None,
                self.agent[0] if replied or not story.is_open else None, self.subject, status, resolution, "form",
                bool(story.reader), _written(self.times[0]), last if waits else None, last,
                _written(self.times[1]) if replied else None, None if story.is_open else _written(self._closed_at()),
                " ".join(self.bodies[-1][:280].split())[:140], len(self.bodies), last,
                "reader" if len(self.bodies) % 2 else "reply",
            ),
        )  # fmt: skip

    def _letter(self, index: int, body: str, at: datetime) -> Iterator[Row]:
        """What the reader wrote: the first by form, with a receipt; the rest by mail."""
        reader, digest = self.story.reader or None, f"{self.scribe.chance.getrandbits(256):064x}"
        key = None if index else digest[:32]
        message_id = f"{digest[:24]}@mail.example.com" if index else None
        number = self._message("reader", at, reader=reader, says=body, key=key, hashed=digest, message_id=message_id)
        yield from number
        kind = "followed_up" if index else "opened"
        yield self._event(kind, at, {} if index else {"receipt": bool(reader), "maybe": None}, reader=reader)
        if index:
            yield self._inbound(at, message_id, digest)
        elif reader:
            context = {"language": "en", "site": SENDER, "answer_within": "two working days", "number": reader}
            headers = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All", "Precedence": "auto_reply"}
            yield from self._mail(self._issued(), "emails/receipt", at, context, headers)

    def _reply(self, index: int, body: str, at: datetime) -> Iterator[Row]:
        issued = self._issued()
        context = {
            "language": "en", "body": body, "signature": SIGNATURE,
            "earlier": {"attribution": "Ruth wrote:", "body": self.bodies[index - 1]},
        }  # fmt: skip
        yield from self._mail(issued, "emails/reply", at, context, {"X-Helpdesk-Loop": "127.0.0.1"})
        yield from self._message("reply", at, agent=self.agent, says=body, message_id=issued)
        yield self._event("replied", at, {"then": "send", "before": {"status": "open"}}, agent=self.agent[0])
        if index == 1:
            yield self._event("assigned", at, {"before": None, "after": self.agent[1]}, agent=self.agent[0])

    def _message(
        self, kind: str, at: datetime, *, says: str, message_id: str | None, reader: int | None = None,
        agent: tuple[int, str, str] | None = None, key: str | None = None, hashed: str | None = None,
    ) -> Iterator[Row]:  # fmt: skip
        number, sent = self.scribe.next("message"), self.scribe.last["outbound_email"] if agent else None
        name, address = (agent[1], agent[2]) if agent else (reader_name(reader) if reader else "", self.who)
        yield (
            "message",
            (
                number, self.story.number, self.story.number, kind, agent[0] if agent else None, reader, sent, name,
                address, json.dumps([self.who]) if agent else "[]", says, SIGNATURE if agent else None, key, hashed,
                message_id, _written(at),
            ),
        )  # fmt: skip
        yield ("search_message", (number, self.story.number, says if agent else f"{self.subject}\n{says}"))

    def _mail(
        self, message_id: str, template: str, at: datetime, context: dict[str, object], headers: dict[str, str]
    ) -> Iterator[Row]:
        email, when = self.scribe.next("outbound_email"), _written(at)
        sender = f'"{SENDER}" <{self.intake}>'
        yield (
            "outbound_email",
            (
                email, message_id, sender, self.reply_to, self.reply_to, f"Re: {self.subject}", template,
                json.dumps(context), json.dumps(headers), "[]", f"ticket:{self.story.number}", when,
            ),
        )  # fmt: skip
        yield ("outbound_recipient", (self.scribe.next("outbound_recipient"), email, self.who, "sent", 1, when, when))

    def _inbound(self, at: datetime, message_id: str | None, digest: str) -> Row:
        number, became = self.scribe.next("inbound_email"), self.scribe.last["message"]
        return (
            "inbound_email",
            (
                number, f"{number:032x}", self.queue, json.dumps([self.reply_to]), message_id, digest, self.who,
                f"Re: {self.subject}", "accepted", "The reply address names the ticket.", 1, became, _written(at),
            ),
        )  # fmt: skip

    def _event(
        self, kind: str, at: datetime, data: dict[str, object], *, agent: int | None = None, reader: int | None = None
    ) -> Row:
        row = (self.scribe.next("event"), self.story.number, kind, agent, reader, _written(at), json.dumps(data))
        return ("event", row)

    def _issued(self) -> str:
        payload = self.story.number.to_bytes(5) + self.scribe.chance.randbytes(8)
        return f"{self.scribe.keyring.issue(Kind.MESSAGE_ID, payload)}@example.org"

    def _resolution(self) -> str:
        if len(self.bodies) == 1:
            return "spam" if self.scribe.chance.random() < 0.06 else "no_action"
        return self.scribe.chance.choice(RESOLUTIONS)

    def _closed_at(self) -> datetime:
        return min(self.times[-1] + timedelta(hours=1), self.scribe.now)


def article_url(number: int) -> str:
    """The address of an article."""
    return f"https://blog.example.org/{2023 + number % 4}/story-{number}/"


def reader_address(number: int) -> str:
    """The address of a reader."""
    return f"reader{number}@example.com"


def reader_name(number: int) -> str:
    """The name of a reader."""
    return f"Reader {number}"


def intake_address(queue: int) -> str:
    """The address of a queue."""
    return INTAKE.format(queue)


def _subject(body: str) -> str:
    return body if len(body) <= 80 else body[:80].rsplit(" ", 1)[0] + " …"


def _written(moment: datetime) -> str:
    """A time as SQLite keeps it and PostgreSQL reads it, when its clock is set to UTC."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")
