"""Mails of many programs, languages and oddities, each named after its shape, are read as the JSON beside them says."""

import json
import re
import time
from itertools import combinations
from pathlib import Path

import pytest

from helpdesk.inbound.inspecting import inspect

EML = Path(__file__).parents[1] / "eml"
MAILS = sorted(path.stem for path in EML.glob("*.eml"))
PROGRAMS = (
    "curl", "email_stuffer", "exim", "mailutils", "mime_lite", "mpack", "mutt", "neomutt", "nmh", "nodemailer",
    "openssl", "opensmtpd", "php", "python", "ruby_mail", "sendemail", "sieve", "snail", "swaks",
)  # fmt: skip
SECONDS = 2.0
SHINGLE_WORDS, NEAR_COPY = 5, 0.3


def expected(name: str) -> dict[str, object]:
    said: dict[str, object] = json.loads((EML / f"{name}.json").read_text(encoding="utf-8"))
    return said


def narrowed(bounce: object) -> object:
    keys = ("recipients", "original_message_id")
    return {key: bounce[key] for key in keys} if isinstance(bounce, dict) else bounce


@pytest.mark.parametrize("name", MAILS)
def test_each_stored_mail_is_read_as_expected(name: str):
    started = time.process_time()
    report = inspect((EML / f"{name}.eml").read_bytes())
    assert time.process_time() - started < SECONDS
    wanted = expected(name)
    report["bounce"] = narrowed(report["bounce"])
    assert {key: report[key] for key in wanted} == wanted


def test_every_expectation_has_its_mail_and_there_are_enough_of_them():
    assert sorted(path.stem for path in EML.glob("*.json")) == MAILS
    assert len(MAILS) >= 150


def test_no_two_mails_are_the_same():
    bodies = {name: (EML / f"{name}.eml").read_bytes() for name in MAILS}
    assert len(set(bodies.values())) == len(MAILS)


def test_no_two_mails_kept_by_hand_come_from_one_template() -> None:
    by_hand = {name: shingles(name) for name in MAILS if not name.startswith(tuple(f"{each}_" for each in PROGRAMS))}
    alike = {(one, two): likeness(by_hand[one], by_hand[two]) for one, two in combinations(by_hand, 2)}
    assert {pair: round(found, 2) for pair, found in alike.items() if found >= NEAR_COPY} == {}


def shingles(name: str) -> set[tuple[str, ...]]:
    """Every five words that follow one another, in the mail as it came (so in headers and parts) and in its text."""
    texts = (EML / f"{name}.eml").read_text(encoding="utf-8", errors="replace"), str(expected(name).get("body_text"))
    lines = [re.findall(r"\w+|[^\s\w]", text) for text in texts]
    return {tuple(words[at : at + SHINGLE_WORDS]) for words in lines for at in range(len(words) - SHINGLE_WORDS + 1)}


def likeness(one: set[tuple[str, ...]], two: set[tuple[str, ...]]) -> float:
    """The part of both that both have."""
    return len(one & two) / len(one | two)


@pytest.mark.parametrize("name", MAILS)
def test_no_line_of_a_stored_mail_is_lost_between_its_spans(name: str):
    report = inspect((EML / f"{name}.eml").read_bytes())
    spans = "\n".join(str(report[key]) for key in ("reply_text", "signature", "quoted_text"))
    assert sorted(spans.split()) == sorted(str(report["body_text"]).split())


def test_many_of_them_were_written_by_real_programs() -> None:
    written_by = {program: [name for name in MAILS if name.startswith(f"{program}_")] for program in PROGRAMS}
    assert [program for program, written in written_by.items() if not written] == []
    assert sum(map(len, written_by.values())) >= 60
