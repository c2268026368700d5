"""Signing in and out, forgotten passwords, and when a session ends."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from helpdesk import clock
from helpdesk.agents.forgotten import answer_password_requests
from helpdesk.agents.models import SignIn
from helpdesk.agents.operations import change_role, deactivate
from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.outbound.rendering import text_of
from tests.cast import PASSWORD, Cast
from tests.desk.conftest import Desk
from tests.factories import outbox

NEW_PASSWORD = "a horse that is not the old one"
GENERIC = "This address and password do not belong together."


def is_in(desk: Desk) -> bool:
    """True when this browser may see the desk."""
    return desk.get("/desk/unassigned").status_code == 200


def test_staff_begin_at_unassigned(ann: Desk) -> None:
    assert ann.get("/desk/").location == "/desk/unassigned"


def test_a_stranger_is_asked_to_sign_in_and_comes_back(app: Flask, cast: Cast) -> None:
    stranger = Desk(app)
    asked = stranger.get("/desk/mine?after=1.0-1")
    assert (asked.status_code, asked.location) == (303, "/desk/sign-in?next=/desk/mine?after%3D1.0-1")


def test_signing_out_ends_the_session_on_the_server(ann: Desk) -> None:
    ann.client.set_cookie("copy", "x")
    stolen = ann.client.get_cookie("helpdesk")
    assert ann.post("/desk/sign-out").status_code == 302
    assert db.session.query(SignIn).one().ended_at is not None
    ann.client.set_cookie("helpdesk", stolen.value)  # type: ignore[union-attr]
    assert not is_in(ann)


def test_a_get_does_not_sign_out(ann: Desk) -> None:
    assert ann.get("/desk/sign-out").status_code == 405
    assert is_in(ann)


def test_class_54_the_session_of_before_the_sign_in_is_not_the_one_after(app: Flask, cast: Cast) -> None:
    desk = Desk(app)
    desk.get("/desk/sign-in")
    before = desk.client.get_cookie("helpdesk").value  # type: ignore[union-attr]
    desk.sign_in(cast.ann.email)
    attacker = Desk(app)
    attacker.client.set_cookie("helpdesk", before)
    assert (is_in(desk), is_in(attacker)) == (True, False)


def test_class_54_another_role_ends_every_session(ann: Desk, cast: Cast) -> None:
    change_role(cast.ann, role=Role.EDITOR)
    assert not is_in(ann)


def test_class_54_a_closed_account_is_out_and_stays_out(ann: Desk, cast: Cast) -> None:
    deactivate(cast.ann)
    assert not is_in(ann)
    assert ann.sign_in(cast.ann.email).status_code == 200


def test_class_54_a_new_password_ends_the_other_sessions_and_is_told_by_mail(app: Flask, ann: Desk, cast: Cast) -> None:
    other = Desk(app)
    other.sign_in(cast.ann.email)
    answer = ann.post(
        "/desk/password/change", password=PASSWORD, new_password=NEW_PASSWORD, new_password_confirm=NEW_PASSWORD
    )
    assert (answer.status_code, is_in(ann), is_in(other)) == (302, True, False)
    assert [mail.subject for mail in outbox()] == ["Your helpdesk password was changed"]
    assert [sign_in.ended_at is None for sign_in in db.session.query(SignIn).order_by(SignIn.id)] == [
        False,
        False,
        True,
    ]


def test_a_silent_session_runs_out_and_a_poll_is_silence(
    app: Flask, ann: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=app.config["SESSION_IDLE_MINUTES"] - 1))
    ann.get(f"/desk/unassigned/news?since={real().replace(tzinfo=None).isoformat()}")
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=app.config["SESSION_IDLE_MINUTES"] + 1))
    assert not is_in(ann)


def test_a_busy_session_goes_on_until_the_last_day(app: Flask, ann: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real, hours = clock.now, 0
    while hours < 24 * app.config["SESSION_ABSOLUTE_DAYS"] - 6:
        hours += 6
        monkeypatch.setattr(clock, "now", lambda hours=hours: real() + timedelta(hours=hours))
        assert is_in(ann)
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=app.config["SESSION_ABSOLUTE_DAYS"], minutes=1))
    assert not is_in(ann)


def test_class_58_a_wrong_password_and_an_unknown_address_get_the_same_answer(app: Flask, cast: Cast) -> None:
    desk = Desk(app)
    known = desk.sign_in(cast.ann.email, "wrong")
    unknown = desk.sign_in("nobody@example.org", "wrong")
    assert (known.status_code, known.text.count(GENERIC)) == (unknown.status_code, unknown.text.count(GENERIC))
    assert GENERIC in known.text
    assert plain(known.text, cast.ann.email) == plain(unknown.text, "nobody@example.org")


def test_class_58_a_forgotten_password_gets_the_same_answer_for_every_address(app: Flask, cast: Cast) -> None:
    known = Desk(app).post("/desk/password/forgotten", email=cast.ann.email)
    unknown = Desk(app).post("/desk/password/forgotten", email="nobody@example.org")
    assert plain(known.text, cast.ann.email) == plain(unknown.text, "nobody@example.org")
    answer_password_requests()
    assert [(mail.subject, mail.recipients[0].address) for mail in outbox()] == [
        ("Choose a new password for the helpdesk", "ann@example.org")
    ]


def test_class_55_the_mailed_link_is_built_from_the_settings_and_works_once(app: Flask, cast: Cast) -> None:
    desk = Desk(app)
    desk.post("/desk/password/forgotten", email=cast.ann.email)
    answer_password_requests()
    (link,) = [line for line in text_of(outbox()[0]).splitlines() if line.startswith("http")]
    assert link.startswith("http://localhost/desk/password/forgotten/")
    path = link.removeprefix("http://localhost")
    form = {"password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD}
    assert desk.post(path, **form).location == "/desk/sign-in"
    assert desk.post(path, **form).location == "/desk/password/forgotten"
    assert desk.sign_in(cast.ann.email, NEW_PASSWORD).status_code == 302


def test_class_60_the_way_back_never_leads_away(app: Flask, cast: Cast) -> None:
    for away in ("https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "javascript:alert(1)"):
        desk = Desk(app)
        token = desk.token
        answer = desk.post(f"/desk/sign-in?next={away}", email=cast.ann.email, password=PASSWORD, csrf_token=token)
        assert (away, re.match(r"/[^/\\]", answer.location or "/desk/") is None) == (away, False)


def plain(page: str, address: str) -> str:
    """A page without what differs by itself: its token and the address that was typed."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page).replace(address, "")
