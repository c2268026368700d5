"""ReDoS, classes 40 and 41: twice the mail takes at most two and a half times the work."""

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable

import pytest

import helpdesk
from helpdesk.inbound.forwards import read_forward
from helpdesk.inbound.headers import decode_words
from helpdesk.inbound.html_text import html_to_text
from helpdesk.inbound.mailboxes import read_mailboxes
from helpdesk.inbound.nesting import cap_nesting
from helpdesk.inbound.quoting import split
from helpdesk.inbound.sanitising import clean_html

RATIO = 2.5
TRIES = 10
TOO_SHORT_TO_MEASURE = 0.03  # seconds of work; quadratic work on these sizes takes far longer

PUMPS = [
    " ", "a", "(", ")", "<", ">", '"', "'", "\\", ";", ":", "=", "-", "_", "@", ".", "1", "\n", "\t", "?",
    "*", "/", "a@", "a.", "<a@b", "=?", "=?a?q?", "a=", ";a", '"\\', "5.1", "5.1.", "550 ", "9:", "1/",
    "wrote ", "sent from ", "status: ", "message-id: ", "data:a;base64,", "<meta ", "<meta charset=",
    "von mein", "<a ", "<!--", "é", "\ue0000", "mailbox is ", "delivery has ", "a\n", " \n", "> ", "\n>",
    "re ", "no-reply", "begin 644 ", "\x1b$B", "from: ", "tel.: 12 ",
    "uid 1 ", "UID 1 ", "RFC822.SIZE 1 ", "STORAGE 1", "http://a", "www.", "{", "{a", "%41", "/a", "?a=b&", "cookie: a",
    "DETAIL:", "revision ", "revision='", "[a", "[:", "re: ", "re[1]:", "src=\"cid:a", "e2", ":-)", "4.4.1.",
]  # fmt: skip


Pattern = re.Pattern[str] | re.Pattern[bytes]
AT_THE_START = {"match", "fullmatch"}  # what such a pattern costs elsewhere in a text, nobody pays


def patterns() -> dict[str, tuple[Pattern, set[str]]]:
    """Every pattern of the desk by name, once, with the ways in which the modules that know it use it."""
    found: dict[int, tuple[str, Pattern, set[str]]] = {}
    for module in pkgutil.walk_packages(helpdesk.__path__, "helpdesk."):
        loaded = importlib.import_module(module.name)
        source = inspect.getsource(loaded)
        for name, value in vars(loaded).items():
            if isinstance(value, re.Pattern):
                label = f"{module.name.removeprefix('helpdesk.')}.{name}"
                _, _, ways = found.setdefault(id(value), (label, value, set()))
                ways |= set(re.findall(rf"\b{name}\.(\w+)", source))
    return {label: (pattern, ways) for label, pattern, ways in found.values()}


PATTERNS = patterns()


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def assert_linear(work: Callable[[int], object], size: int) -> None:
    once, twice = float("inf"), float("inf")
    for _ in range(TRIES):
        once = min(once, seconds(lambda: work(size)))
        twice = min(twice, seconds(lambda: work(2 * size)))
        if twice < TOO_SHORT_TO_MEASURE or twice <= RATIO * once:
            return
    pytest.fail(f"{2 * size} took {twice / once:.1f} times what {size} took")


@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_is_linear(name: str):
    pattern, ways = PATTERNS[name]
    is_anchored = bool(ways) and ways <= AT_THE_START
    for pump in PUMPS:
        text = pump if isinstance(pattern.pattern, str) else pump.encode()

        def work(size: int, text: str | bytes = text) -> object:
            pumped = text * (size // len(text))
            if is_anchored:
                return pattern.match(pumped), pattern.fullmatch(pumped)  # type: ignore[arg-type]
            return pattern.sub(text[:0], pumped)  # type: ignore[arg-type, type-var]

        assert_linear(work, 20_000)


SHAPES = {
    "attributions": "On Mon, Nov 23, 2026 at 9:12 AM Ruth <ruth@example.org> wrote:\n",
    "attribution starts": "On Mon, 23 November 2026,\n",
    "colons": "a:\n",
    "header blocks": "From: x\nSubject: y\n",
    "from lines": "From: a\n",
    "quotes": "> x\n",
    "one line of marks": ">",
    "inline": "> x\ny\n",
    "spaces": " ",
    "blank lines": "\n",
    "dashes": "-",
    "separators": "-----Original Message-----\n",
    "signatures": "-- \n",
    "rules": "_" * 30 + "\n",
    "telephones": "Sent from my iPhone\n",
    "brackets": "<",
    "forwards": "-- nothing forwarded:\n",
    "answers before attributions": "Yes. On Mon, Nov 23, 2026 at 9:12 AM Ruth <ruth@example.org> wrote: No.\n",
    "farewells": "> x\nRegards,\n",
    "broken links": "> x\nhttp://example.org/a\n",
    "gaps": "On 23 Nov 2026 09:12 Ruth\n\n<\n",
    "colons in a line": "On 1: On 2: ",
    "half labels": "From:\n\nTo:\n",
    "labels in a line": "From: a@b.example Date: 23 Nov 2026 9:12 ",
    "halves of attributions": "Ruth <ruth@example.org> schrieb am So., 23.\nJuni 2024, 21:08:\n",
    "drawn lines": "-----\nruth@example.org\n",
    "dashes and telephones": "--\nTel.: +49 1234 5678\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_splitting_is_linear(shape: str):
    assert_linear(lambda size: split("Yes.\n" + SHAPES[shape] * size, None), 8_000)


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_forwards_is_linear(shape: str):
    assert_linear(lambda size: read_forward(SHAPES[shape] * size, subject="Fwd: x"), 8_000)


HTML_SHAPES = {
    "wrappers": '<div class="gmail_quote">x</div>',
    "nested wrappers": '<div class="gmail_quote">x<blockquote>',
    "cites": "<blockquote type=cite>x</blockquote>y",
    "open tags": "<div>",
    "bold paragraphs": "<b><p>",
    "unclosed quotes": "<a \"<a '",
    "unclosed comments": "<!-- x",
    "brackets": "<",
    "cells": "<table><tr><td>x",
    "closings": "</div></b>",
    "signatures": '<div class="gmail_signature">x</div>',
    "rules": "<hr>x",
    "names": '<div class="x_x_x_gmail_quote yiv123" id="x_divRplyFwdMsg" name="quote">x',
}


@pytest.mark.parametrize("shape", HTML_SHAPES)
def test_html_is_linear(shape: str):
    html = HTML_SHAPES[shape]
    assert_linear(lambda size: cap_nesting(html * size), 2_000)
    assert_linear(lambda size: clean_html(html * size), 2_000)
    assert_linear(lambda size: html_to_text(html * size), 2_000)
    assert_linear(lambda size: split("Yes.\nx", html * size), 2_000)


@pytest.mark.parametrize("pump", ["(", '"', '"\\', "<", ",", "a@b ", "=?a?q?a?= ", "a@b,", "(a", ":"])
def test_headers_are_linear(pump: str):
    assert_linear(lambda size: read_mailboxes([pump * size], limit=200), 4_000)
    assert_linear(lambda size: decode_words(pump * size), 4_000)
