"""A reader's browser and an agent's browser: connections that are kept, real sign-ins, real form tokens."""

import http.client
import random
import re
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlencode

from benchmarks import rows
from benchmarks.seeding import EMAIL, PASSWORD

TIMEOUT = 60
KEPT_SECONDS = 1  # gunicorn closes a connection that was idle for two
_CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_SEEN = re.compile(r'name="seen" value="(\d+)"')


class Unexpected(Exception):
    """The desk answered otherwise than it should; a figure of errors is none."""


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    content: bytes
    headers: dict[str, str]
    seconds: float

    @property
    def body(self) -> str:
        """The page as text."""
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True)
class Timing:
    """Seconds of one block of requests, and how long the whole block took."""

    seconds: tuple[float, ...]
    elapsed: float

    @property
    def p50(self) -> float:
        """The middle one."""
        return median(self.seconds)

    @property
    def p99(self) -> float:
        """What one in a hundred exceeds."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * 0.99))]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.seconds) / self.elapsed


class Browser:
    """One connection with its cookies."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self.cookies: dict[str, str] = {}
        self.last_used = 0.0

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Send a form as browsers send one with files."""
        boundary = "----" + secrets.token_hex(8)
        parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in form.items()]
        body = "".join([*parts, f"--{boundary}--\r\n"]).encode()
        return self._ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"} | headers)

    def sign_in(self) -> None:
        """Sign Ann in through the real page."""
        token = _found(_CSRF, self.get("/desk/sign-in").body)
        form = urlencode({"email": EMAIL, "password": PASSWORD, "csrf_token": token}).encode()
        answer = self._ask("POST", "/desk/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded"})
        expect(answer, 302)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if self.cookies:
            headers = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        began = time.perf_counter()
        if began - self.last_used > KEPT_SECONDS:
            self.connection.close()
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        self.last_used = time.perf_counter()
        seconds = self.last_used - began
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, rest = value.partition(";")[0].partition("=")
                self.cookies[cookie] = rest
        headers_back = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, content, headers_back, seconds)


def expect(answer: Answer, status: int) -> Answer:
    """The answer, when it is the one that was wanted; else Unexpected."""
    if answer.status != status:
        raise Unexpected(f"status {answer.status} instead of {status}: {answer.body[:300]}")
    return answer


def timed(ask: Callable[[], Answer], *, times: int, status: int = 200) -> Timing:
    """Ask the same so many times, one after the other."""
    began = time.perf_counter()
    seconds = tuple(expect(ask(), status).seconds for _ in range(times))
    return Timing(seconds, time.perf_counter() - began)


def posted(port: int, path: str, forms: Sequence[dict[str, str]], *, clients: int) -> Timing:
    """Post all forms from so many clients at once, each reader with an address of his own."""

    def drive(mine: Sequence[dict[str, str]]) -> list[float]:
        chance = random.SystemRandom()
        networks = [".".join(str(chance.randrange(1, 255)) for _ in range(3)) for _ in mine]
        with Browser(port) as browser:
            answers = (
                browser.post(path, form, **{"X-Forwarded-For": f"10.{network}"})
                for form, network in zip(mine, networks, strict=True)
            )
            return [expect(answer, 303).seconds for answer in answers]

    shares = [forms[start::clients] for start in range(clients)]
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seconds = [second for some in pool.map(drive, shares) for second in some]
    return Timing(tuple(seconds), time.perf_counter() - began)


def form_tokens(port: int, count: int) -> list[str]:
    """The tokens of so many contact pages, opened one by one."""
    with Browser(port) as browser:
        return [_found(_TOKEN, expect(browser.get("/contact"), 200).body) for _ in range(count)]


def contact_form(chance: random.Random, *, body: str, readers: int, token: str = "") -> dict[str, str]:
    """What a reader sends; four in ten wrote before."""
    is_known = chance.random() < 0.4
    address = rows.reader_address(1 + chance.randrange(readers)) if is_known else f"{secrets.token_hex(6)}@example.net"
    return {
        "token": token, "topic": "question", "url": rows.article_url(1 + chance.randrange(5000)), "message": body,
        "suggestion": "", "answer": "yes", "email": address, "name": "Ruth Reed", "website": "",
        "is_known": "1" if is_known else "",
    }  # fmt: skip


def reply_form(page: str, body: str) -> dict[str, str]:
    """What an agent sends from a ticket's page."""
    return {"csrf_token": _found(_CSRF, page), "kind": "reply", "seen": _found(_SEEN, page), "body": body,
            "then": "send"}  # fmt: skip


def _found(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    if found is None:
        raise Unexpected(f"no {pattern.pattern} in {page[:300]}")
    return found.group(1)
