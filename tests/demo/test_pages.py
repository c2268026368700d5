"""The pages of caught mail: what they show, and what they refuse."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from helpdesk.demo.caught import CaughtMails
from helpdesk.demo.letters import reader_mail
from helpdesk.demo.pages import create_pages
from tests.conftest import make_settings

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def mails(tmp_path: Path) -> CaughtMails:
    mails = CaughtMails(tmp_path / "mail")
    letter = reader_mail(
        name="The Post", address="support@example.org", to="Ruth <ruth@example.com>", subject="Re: 1 < 2", text=HOSTILE
    )
    letter["Reply-To"] = "support+token@example.org"
    mails.put(letter.as_bytes())
    return mails


@pytest.fixture
def browser(mails: CaughtMails, tmp_path: Path) -> FlaskClient:
    return create_pages(make_settings(tmp_path), mails).test_client()


def test_a_caught_mail_is_listed_and_shown_escaped(browser: FlaskClient, mails: CaughtMails) -> None:
    mail_id = mails.newest()[0].id
    assert f'<a href="/mail/{mail_id}">Re: 1 &lt; 2</a>' in browser.get("/").text
    page = browser.get(f"/mail/{mail_id}").text
    assert ("&lt;script&gt;" in page, "<script>" in page) == (True, False)
    assert "Send as ruth@example.com" in page


def test_the_html_part_is_kept_in_a_sandbox(browser: FlaskClient, mails: CaughtMails) -> None:
    answer = browser.get(f"/mail/{mails.newest()[0].id}/html")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert ("sandbox" in policy, "default-src 'none'" in policy) == (True, True)


def test_another_site_cannot_send_mail_through_the_demo(browser: FlaskClient, mails: CaughtMails) -> None:
    path = f"/mail/{mails.newest()[0].id}/answer"
    answer = browser.post(path, data={"text": "hi"}, headers={"Origin": "https://evil.example.com"})
    assert answer.status_code == 403


def test_a_name_that_is_no_mail_is_not_found(browser: FlaskClient) -> None:
    assert browser.get("/mail/..%2f..%2fsecret").status_code == 404


def test_an_empty_answer_is_refused(browser: FlaskClient, mails: CaughtMails) -> None:
    assert browser.post(f"/mail/{mails.newest()[0].id}/answer", data={"text": " "}).status_code == 422
