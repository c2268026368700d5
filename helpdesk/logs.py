"""Logs: one line for each event, as JSON or as text, with nothing in it that must stay secret."""

import json
import logging
import re
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, Literal
from urllib.parse import quote

import structlog
from pydantic import SecretStr
from sqlalchemy import make_url
from structlog.contextvars import bound_contextvars, get_contextvars, merge_contextvars

from helpdesk.config import Settings

Form = Literal["auto", "json", "text"]
Event = MutableMapping[str, Any]

MASK = "…"
SHORTEST_SECRET = 4  # in characters: masking anything shorter would eat the log
SHORTEST_PART = 16  # of a secret with colons; a user name in it may be a plain word
OWN = ("request_id", "job_id", "timestamp", "level", "logger")  # made or checked by us
QUIET = ("alembic", "huey", "aiosmtpd", "mail.log", "urllib3")

_PATH_TOKEN = re.compile(r"/[A-Za-z0-9._~+=-]{24,}")
_TOKEN = re.compile(r"(?<![\w./-])[A-Za-z0-9_.~+=-]{40,}")
_TICKET_LINK = re.compile(r"(/(?:c|ticket|reset|password/reset)/)[^\s/?\"'<>]+")
_QUERY = re.compile(r"([?&][\w.%-]{1,60}=)[^\s&\"'<>]+")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]{1,256}@[^\s<>\"'(),;:\[\]]{1,256}")
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=]\s*)[^\r\n]+")
_DETAIL = re.compile(r"(?m)^(DETAIL:|\[parameters:).*$")  # the row that a database quotes
_PLAIN = re.compile(r"[\w./:+…@-]+")


class Masker:
    """Takes out of an event what nobody may read in a log: secrets by their value, the rest by its shape."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        return {name: value if name in OWN else self._clean(value) for name, value in event.items()}

    def mask(self, text: str) -> str:
        """A text without secrets, tokens, query values and mail addresses."""
        text = self._known.sub(MASK, text) if self._known else text
        text = _HEADER.sub(rf"\1\2{MASK}", _DETAIL.sub(rf"\1 {MASK}", text))
        text = _PATH_TOKEN.sub(f"/{MASK}", _TICKET_LINK.sub(rf"\1{MASK}", _QUERY.sub(rf"\1{MASK}", text)))
        return _TOKEN.sub(MASK, _ADDRESS.sub(MASK, text) if "@" in text else text)

    def _clean(self, value: object) -> object:
        return value if value is None or isinstance(value, bool | int | float) else self.mask(str(value))


def configure(settings: Settings) -> None:
    """Log as the settings say, with their secrets masked."""
    write_logs(settings.log, level=settings.log_level, secrets=secrets_of(settings))


def write_logs(form: Form, *, level: str, secrets: Iterable[str] = ()) -> None:
    """Write every event of this process, those of libraries too, to stderr; `auto` is text on a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form, secrets=secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would write addresses, which hold tokens


def formatter(form: Form, *, secrets: Iterable[str] = ()) -> logging.Formatter:
    """What makes a line of an event."""
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_facts(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Masker(secrets),
            as_text if is_text else as_json,
        ],
    )


def secrets_of(settings: Settings) -> set[str]:
    """Every secret that these settings hold, also as it looks in an address or in a mail server's conversation."""
    plain = {secret for name in type(settings).model_fields for secret in _revealed(getattr(settings, name))}
    plain |= {make_url(settings.database_uri).password or ""}
    signed_in = f"\0{settings.smtp_username}\0{settings.smtp_password.get_secret_value()}"
    coded = {b64encode(text.encode()).decode() for text in (*plain, signed_in) if text}
    return (plain | coded | {quote(text, safe="") for text in plain}) - {""}


def within_job(job_id: str, **facts: object) -> Any:
    """A context in which every event carries the job's id and what it is about."""
    return bound_contextvars(job_id=job_id, **facts)


def request_id() -> str | None:
    """The id of the request that is answered just now, if any."""
    found: str | None = get_contextvars().get("request_id")
    return found


def as_json(_logger: object, _method: str, event: Event) -> str:
    """One object on one line; line breaks in values are escaped."""
    return json.dumps(event, default=str)


def as_text(_logger: object, _method: str, event: Event) -> str:
    """One line for people; a traceback follows in lines that begin with a bar and so look like no event."""
    rest = dict(event)
    head = f"{rest.pop('timestamp')} {rest.pop('level'):<8} {rest.pop('logger')}: {_escaped(str(rest.pop('event')))}"
    trace = str(rest.pop("exception", "") or "")
    facts = "".join(f" {name}={_quoted(str(value))}" for name, value in rest.items())
    return head + facts + "".join(f"\n    | {_escaped(line)}" for line in trace.splitlines())


def _facts() -> list[Callable[..., Any]]:
    return [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _revealed(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield from _with_parts(value.get_secret_value())
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _revealed(part)


def _with_parts(secret: str) -> Iterator[str]:
    """A secret, and what of path:user:password a request shows by itself."""
    yield secret
    parts = (secret.partition(":")[2], *secret.split(":"))
    yield from (part for part in parts if len(part) >= SHORTEST_PART)


def _escaped(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
