"""What was measured of the parts that we stand on, row by row: each hostile input has a test that hands it over."""

import ast
from pathlib import Path

import pytest

from tests.inbound.test_hostile import MEASURED

TESTS = Path(__file__).parent
MAIL, TRANSPORT = "inbound/test_hostile.py", "outbound/test_transport.py"
READ = "test_each_mail_that_python_is_known_to_stumble_over_is_read_or_given_up"

ROWS: dict[str, tuple[str, ...]] = {
    "100 and 1,000 nested multiparts": ("class 37: 100 nested multiparts", "class 37: 1,000 nested multiparts"),
    "5,000 nested message/rfc822": ("class 37: 5,000 nested mails",),
    "200,000 empty parts": ("class 38: 200,000 empty parts",),
    "a Subject of 20,000 encoded words": ("class 38: a subject of 20,000 words",),
    "a To with 20,000 addresses": ("class 38: 20,000 addresses",),
    "a From with 500 nested comments": ("class 22: 500 nested comments",),
    "From and To cut at a bracket, Message-IDs of brackets": (
        "class 22: an address without its end",
        "class 22: an address that is a bracket",
        "class 22: a Message-ID of brackets",
    ),
    "a Date with a year of 20 digits": ("class 42: a year of 20 digits",),
    "a charset that is unknown, holds NUL, or is idna": (
        "class 42: an unknown charset",
        "class 42: a charset with NUL",
        "class 42: idna and a byte",
    ),
    "a lone surrogate by utf-7, a body with NUL": (
        "class 42: a lone surrogate by utf-7",
        "class 42: a body with NUL",
    ),
    "nh3.clean of 80,000 open tags": ("class 7: 80,000 open tags",),
    "the marker string that stops a stripper of quotes": ("class 40: a mark of many blanks and dashes",),
    "Flask-Mail: line breaks in what it checks, and in extra_headers": (
        f"{TRANSPORT}::test_class_31_no_header_can_be_broken_out_of",
        f"{TRANSPORT}::test_class_31_a_row_that_holds_a_break_all_the_same_is_not_sent",
    ),
    "Flask-Mail and imaplib: no timeout, no certificate checked": (
        f"{TRANSPORT}::test_class_65_a_bad_certificate_gets_neither_password_nor_mail",
        f"{TRANSPORT}::test_class_65_a_server_that_offers_no_starttls_gets_neither_password_nor_mail",
        f"{TRANSPORT}::test_a_server_that_never_speaks_costs_one_timeout_and_no_mail",
        "inbound/test_sources.py::test_class_65_a_bad_certificate_gets_no_password",
        "inbound/test_sources.py::test_l30_a_server_that_never_speaks_costs_one_timeout",
    ),
    "url_for with a hostile Host": (
        "test_headers.py::test_class_55_another_host_is_refused",
        "agents/test_emails.py::test_class_55_the_link_is_ours_whatever_the_request_says",
    ),
    "two processes that set WAL at their first request": (
        "test_migrations.py::test_sqlite_is_durable_and_checks_references",
        "test_database.py::test_no_process_changes_the_journal_when_it_begins",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_fault_that_was_measured_has_its_test(row: str) -> None:
    places = [place if "::" in place else f"{MAIL}::{READ}" for place in ROWS[row]]
    assert [place for place in places if not is_there(*place.split("::"))] == []


def test_every_measured_mail_belongs_to_a_row_and_every_row_has_its_mail() -> None:
    assert len(ROWS) == 16
    assert sorted(place for places in ROWS.values() for place in places if "::" not in place) == sorted(MEASURED)


def is_there(module: str, name: str) -> bool:
    """True when the module has this test, and nothing skips it."""
    found = [each for each in ast.parse((TESTS / module).read_text()).body if getattr(each, "name", "") == name]
    return bool(found) and not any("skip" in ast.unparse(mark) for mark in found[0].decorator_list)  # type: ignore[attr-defined]
