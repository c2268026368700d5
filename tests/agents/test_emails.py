"""The mails about accounts, word for word; they leave through the outbox like all others."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.agents.forgotten import answer_password_requests
from helpdesk.agents.invitations import invite
from helpdesk.agents.models import Agent
from helpdesk.agents.second_factor import tell_of_passkey
from helpdesk.database import transactional
from helpdesk.outbound.models import OutboundEmail
from helpdesk.outbound.rendering import html_of, text_of
from tests.cast import PASSWORD, Cast
from tests.conftest import token_in
from tests.factories import outbox

GOLDEN = Path(__file__).parents[1] / "emails"
NEW_PASSWORD = "another horse, another battery"


def test_the_mail_of_a_forgotten_password_reads_as_agreed(client: FlaskClient, cast: Cast) -> None:
    ask_for_a_new_password(client, "ann@example.org")
    assert [as_text(mail) for mail in outbox()] == [golden("password_forgotten")]


def test_the_notice_of_a_changed_password_reads_as_agreed(cast: Cast, sign_in: Callable[[Agent], FlaskClient]) -> None:
    browser = sign_in(cast.ann)
    token = token_in(browser.get("/desk/password/change").text)
    words = {"password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD}
    assert browser.post("/desk/password/change", data=words | {"csrf_token": token}).status_code == 302
    assert [as_text(mail) for mail in outbox()] == [golden("password_changed")]


def test_the_invitation_reads_as_agreed(app: Flask, cast: Cast) -> None:
    with app.test_request_context():
        invite(cast.sam, by=cast.carla)
    assert [as_text(mail) for mail in outbox()] == [golden("invitation")]


def test_the_notice_of_a_new_passkey_reads_as_agreed(cast: Cast) -> None:
    transactional(tell_of_passkey)(cast.ann, is_new=True)
    assert [as_text(mail) for mail in outbox()] == [golden("sign_in_changed")]


def test_class_58_an_unknown_address_gets_the_same_page_and_no_mail(client: FlaskClient, cast: Cast) -> None:
    known = ask_for_a_new_password(client, "ann@example.org")
    unknown = ask_for_a_new_password(client, "nobody@example.org")
    assert (unknown, len(outbox())) == (known, 1)


@pytest.mark.parametrize("host", ["evil.example"])
def test_class_55_the_link_is_ours_whatever_the_request_says(client: FlaskClient, cast: Cast, host: str) -> None:
    ask_for_a_new_password(client, "ann@example.org", headers={"X-Forwarded-Host": host, "Origin": "http://localhost"})
    links = re.findall(r"https?://[^\s/]+", text_of(outbox()[0]))
    assert set(links) == {"http://localhost"}


def test_class_28_nobody_is_flooded_with_mails_about_a_password(client: FlaskClient, cast: Cast) -> None:
    for _ in range(6):
        ask_for_a_new_password(client, "Ann@example.org")
    assert len(outbox()) == 3


def test_guessing_a_password_ends_soon_for_known_and_unknown_alike(client: FlaskClient, cast: Cast) -> None:
    token = token_in(client.get("/desk/sign-in").text)
    for email in ("ann@example.org", "nobody@example.org"):
        form = {"email": email, "password": "a wrong password", "csrf_token": token}
        assert [client.post("/desk/sign-in", data=form).status_code for _ in range(12)] == [200] * 10 + [429] * 2
    right = {"email": "ann@example.org", "password": PASSWORD, "csrf_token": token}
    assert client.post("/desk/sign-in", data=right).status_code == 429


def ask_for_a_new_password(client: FlaskClient, email: str, **how: object) -> str:
    """Send the form and let the worker look; returns the answer without its token."""
    token = token_in(client.get("/desk/password/forgotten").text)
    form = {"email": email, "csrf_token": token}
    answer = client.post("/desk/password/forgotten", data=form, follow_redirects=True, **how)  # type: ignore[arg-type]
    answer_password_requests()
    return re.sub(r'value="[^"]+"', "", answer.text)


def as_text(mail: OutboundEmail) -> str:
    """A mail as a person and a mail program see it; what is random is named."""
    head = {"From": mail.sender, "To": mail.recipients[0].address, "Subject": mail.subject, **mail.headers}
    lines = [f"{name}: {value}" for name, value in head.items()]
    text = "\n".join([*lines, "", text_of(mail).strip(), "", "---- HTML ----", html_of(mail).strip(), ""])
    return re.sub(r"(/password/forgotten/)[\w.-]+", r"\1TOKEN", text)


def golden(name: str) -> str:
    """The agreed text."""
    return (GOLDEN / f"{name}.txt").read_text()
