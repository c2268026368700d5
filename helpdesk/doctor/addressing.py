"""The desk's own address: does it lead here, and do the proxies on the way say what they must?"""

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from helpdesk.config import Settings
from helpdesk.doctor import probe
from helpdesk.doctor.findings import PATIENCE_SECONDS, Checkup, Finding, bad, fine, look, reason_of
from helpdesk.doctor.troubles import trouble_of
from helpdesk.tokens import Keyring

LIVE = "/health/live"
LONGEST_ANSWER = 65_536
TOLD = {"scheme", "host", "forwarded"}


@dataclass(frozen=True)
class Answer:
    """What came back over the base URL."""

    status: int
    date: str | None
    body: bytes


def check_base_url(checkup: Checkup) -> Iterator[Finding]:
    """The host name resolves, the desk answers there, and the proxies' headers are counted right."""
    settings = checkup.settings
    try:
        socket.getaddrinfo(settings.host, None)
    except OSError:
        yield bad("address", f"The name {settings.host} of HELPDESK_BASE_URL does not resolve; correct it or its DNS.")
        return
    try:
        answer = ask(settings, LIVE)
    except (OSError, http.client.HTTPException) as error:
        yield look("address", f"The desk is not reached at {settings.base_url}: {_why_not(settings, error)}")
        return
    if answer.status != http.client.OK:
        sentence = f"{settings.base_url}{LIVE} answers {answer.status} instead of 200; is it our desk, and is it well?"
        yield look("address", sentence)
        return
    yield fine("address", f"The desk answers at {settings.base_url}.")
    yield from _check_proxies(settings)


def ask(settings: Settings, path: str) -> Answer:
    """GET a path below the base URL. Raises OSError or HTTPException when nobody answers."""
    url = urlsplit(settings.base_url)
    make = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = make(settings.host, url.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", url.path.rstrip("/") + path, headers={"User-Agent": "helpdesk-doctor"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers["Date"], answer.read(LONGEST_ANSWER))
    finally:
        connection.close()


def _why_not(settings: Settings, error: BaseException) -> str:
    port = urlsplit(settings.base_url).port or (443 if settings.is_https else 80)
    trouble = trouble_of(error, host=settings.host, port=port)
    return trouble or f"{reason_of(error)}; check HELPDESK_BASE_URL and the web server."


def _check_proxies(settings: Settings) -> Iterator[Finding]:
    keyring = Keyring.of([key.get_secret_value() for key in settings.secret_keys])
    answer = ask(settings, f"{probe.PATH}?token={probe.issue(keyring)}")
    if answer.status == http.client.BAD_REQUEST:
        yield bad("proxy", "The proxy does not hand on the host name it was asked for; let it pass the Host header.")
        return
    seen = _read(answer)
    if seen is None:
        sentence = f"{settings.base_url} is served by another program, or by a desk with other settings; correct "
        yield bad("proxy", sentence + "HELPDESK_BASE_URL or the proxy, and restart the desk.")
        return
    problems = list(_misheard(settings, seen))
    yield from problems or [fine("proxy", "Requests arrive as HELPDESK_TRUSTED_PROXIES says.")]


def _read(answer: Answer) -> dict[str, Any] | None:
    try:
        seen = json.loads(answer.body)
    except ValueError:
        return None
    is_ours = (
        answer.status == http.client.OK and isinstance(seen, dict) and {"scheme", "host", "forwarded"} <= set(seen)
    )
    return seen if is_ours else None


def _misheard(settings: Settings, seen: dict[str, Any]) -> Iterator[Finding]:
    trusted, entries = settings.trusted_proxies, int(seen["forwarded"])
    host = urlsplit(settings.base_url).netloc.rpartition("@")[2]
    if seen["host"] != host:
        yield bad(
            "proxy", f"The desk is asked for {seen['host']} instead of {host}; let the proxy pass the Host header."
        )
    if trusted < entries:
        sentence = f"{entries} proxies say who asks and {trusted} are trusted, so readers look like one person; "
        yield bad("proxy", sentence + f"set HELPDESK_TRUSTED_PROXIES={entries} if all of them are yours.")
    elif trusted > entries:
        sentence = f"{trusted} proxies are trusted and {entries} say who asks, so readers can choose their address; "
        yield bad("proxy", sentence + f"set HELPDESK_TRUSTED_PROXIES={entries}, or let each send X-Forwarded-For.")
    elif settings.is_https and seen["scheme"] != "https":
        sentence = "The desk takes its visitors to come over http although its address is https; let the proxy send "
        yield bad("proxy", sentence + "X-Forwarded-Proto, and set HELPDESK_TRUSTED_PROXIES=1 or as many as there are.")
