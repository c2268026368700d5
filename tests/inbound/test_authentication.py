"""What our own mail servers say of a mail is believed, from them alone, and only ever held against it."""

import pytest

from helpdesk.inbound.authentication import read_results
from helpdesk.inbound.parsing import parse
from helpdesk.inbound.screening import FORGED, Verdict, screen

HOSTS = frozenset({"mx.example.org"})
OURS = "Received: from mail.example.com by mx.example.org (Postfix) with ESMTP id 1"


def judged(*lines: str, hosts: frozenset[str] = HOSTS) -> Verdict:
    raw = "\n".join([*lines, "From: Ruth <ruth@example.com>", "", "Hello"]).encode()
    return screen(parse(raw), own_addresses=frozenset(), own_loop_header="X-Loop", trusted_hosts=hosts)


def said_by(host: str, results: str) -> str:
    return f"Authentication-Results: {host}; {results}"


@pytest.mark.parametrize(
    ("value", "results"),
    [
        ("mx.example.org; dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=example.com", {"dmarc": "fail"}),
        ("mx.example.org 1; spf=pass smtp.mailfrom=a@b.c; dkim=none; dmarc = FAIL", {
            "spf": "pass", "dkim": "none", "dmarc": "fail"}),
        ("mx.example.org; none", {}),
        ("mx.example.org (dmarc=fail); dmarc=pass (dmarc=fail (dmarc=fail))", {"dmarc": "pass"}),
        ('mx.example.org; spf=pass smtp.mailfrom="x; dmarc=fail"@example.com; dmarc=pass', {"spf": "pass", "dmarc": "pass"}),
        ("mx.example.org; dmarc=pass; dmarc=fail", {"dmarc": "pass"}),
        ("mx.example.org; (unclosed; dmarc=fail", {}),
        ("mx.example.org; dkim/1=fail reason=\"bad (signature\"; dmarc/1=fail", {"dkim": "fail", "dmarc": "fail"}),
        ('"mx.example.org"; dmarc=fail', {"dmarc": "fail"}),
        ("", {}),
    ],
)  # fmt: skip
def test_results_are_read_as_rfc_8601_writes_them(value: str, results: dict[str, str]) -> None:
    host, found = read_results(value)
    assert (host, found) == ("mx.example.org" if value else "", results)


@pytest.mark.parametrize(
    ("lines", "is_forged"),
    [
        ([said_by("mx.example.org", "dmarc=fail")], True),
        ([said_by("MX.Example.ORG", "spf=pass; dmarc=fail action=none")], True),
        ([said_by("mx.example.org", "dmarc=pass")], False),
        ([said_by("mx.example.com", "dmarc=fail")], False),
        ([said_by("mx.example.org.evil.example", "dmarc=fail")], False),
        ([said_by("mx.example.org", "dmarc=pass"), said_by("mx.example.org", "dmarc=fail")], False),
        ([said_by("mx.example.org", "dmarc=fail"), said_by("mx.example.org", "dmarc=pass")], True),
        ([said_by("inner.example.org", "dmarc=pass"), said_by("mx.example.org", "dmarc=fail")], True),
        ([said_by("mx.example.org", "dmarc=pass (dmarc=fail)")], False),
        ([said_by("evil.example (mx.example.org)", "dmarc=fail")], False),
        ([said_by("mx.example.org", "dmarc=temperror")], False),
        ([], False),
    ],
)
def test_class_21_only_the_topmost_result_of_a_trusted_host_counts(lines: list[str], is_forged: bool) -> None:
    verdict = judged(*lines)
    assert (verdict.is_forged, verdict.suspect, verdict.may_be_answered) == (
        is_forged, FORGED if is_forged else None, not is_forged,
    )  # fmt: skip


def test_class_21_without_a_trusted_host_a_failure_costs_the_receipt_and_nothing_else() -> None:
    verdict = judged(said_by("anybody.example", "dmarc=fail"), hosts=frozenset())
    assert (verdict.is_forged, verdict.suspect, verdict.may_be_answered) == (False, None, False)


@pytest.mark.parametrize(
    "header",
    [
        "X-Spam-Flag: YES",
        "X-Spam-Status: Yes, score=15.2 required=5.0 tests=BAYES_99,URIBL_BLACK autolearn=no",
        "X-Spam: Yes",
        "X-Rspamd-Action: add header",
        "X-Rspamd-Score: 8.41",
        "X-Spamd-Result: default: False [8.40 / 15.00]; BAYES_SPAM(5.10)[100.00%]",
        "X-Spamd-Result: default: True [3.00 / 15.00]; FORCED(0)[]",
    ],
)
def test_spam_headers_are_believed_when_the_mail_came_through_a_trusted_host(header: str) -> None:
    name = header.partition(":")[0]
    for seen in (OURS, said_by("mx.example.org", "spf=pass")):
        verdict = judged(seen, header)
        assert (verdict.suspect or "").startswith(f"the mail server says so ({name}: ")
        assert verdict.may_be_answered is False
    elsewhere = "Received: from mx.example.org (mx.example.org [192.0.2.1]) by mx.elsewhere.example; with SMTP"
    for lines in ([header], [elsewhere, OURS, header], [OURS, header, header]):
        assert judged(*lines).suspect is None
    assert judged(OURS, header, hosts=frozenset()).suspect is None


@pytest.mark.parametrize(
    "header",
    [
        "X-Spam-Flag: NO",
        "X-Spam-Flag: yesterday",
        "X-Spam-Status: No, score=-0.2 required=5.0",
        "X-Spam: No",
        "X-Rspamd-Action: no action",
        "X-Rspamd-Action: greylist",
        "X-Rspamd-Score: 1.10",
        "X-Rspamd-Score: nan",
        "X-Spamd-Result: default: False [0.40 / 15.00]; R_SPF_ALLOW(-0.20)[+mx]",
        "X-Spamd-Result: nonsense [[[",
    ],
)
def test_what_is_no_spam_by_its_header_is_none(header: str) -> None:
    verdict = judged(OURS, header)
    assert (verdict.suspect, verdict.may_be_answered) == (None, True)


def test_a_received_line_whose_words_pretend_is_read_without_its_comments() -> None:
    received = "Received: from x (by mx.example.org) by relay.example.net with ESMTP"
    assert judged(received, "X-Spam-Flag: YES").suspect is None


def test_the_reason_says_what_becomes_of_the_mail() -> None:
    assert judged(OURS, "X-Spam-Flag: YES").reason == (
        "A person's mail: nothing says otherwise."
        " A new ticket of it is filed as spam: the mail server says so (X-Spam-Flag: YES)."
    )
