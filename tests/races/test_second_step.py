"""A recovery code lets in one browser, also when two bring it at once."""

from functools import partial

from flask import Flask
from passlib.totp import TOTP

from helpdesk.agents.models import SignIn
from helpdesk.agents.second_factor import start_second_factor
from helpdesk.database import db
from helpdesk.extensions import security
from tests.cast import Cast
from tests.conftest import token_in
from tests.desk.conftest import Desk
from tests.races.together import together


def half_in(app: Flask, cast: Cast, page: str) -> partial[int]:
    """A browser in which Ann's password was right, with the page of the second step open."""
    desk = Desk(app)
    desk.sign_in(cast.ann.email)
    token = token_in(desk.get(f"/desk/sign-in/{page}").text)

    def enter(code: str) -> int:
        return desk.client.post(f"/desk/sign-in/{page}", data={"csrf_token": token, "code": code}).status_code

    return partial(enter)


def test_one_code_at_once_in_two_browsers_lets_in_one(app: Flask, cast: Cast) -> None:
    secret = security.totp_factory.generate_totp_secret()
    app_on_phone = TOTP(key=security.totp_factory.get_totp_b32_key(secret))
    codes = start_second_factor(cast.ann, secret=secret, code=app_on_phone.generate().token, keep=None)
    for page, code in (("recovery", codes[0]), ("recovery", codes[1])):
        doors = [half_in(app, cast, page) for _ in range(2)]
        before = db.session.query(SignIn).count()
        statuses = together(app, [partial(door, code) for door in doors])
        db.session.rollback()
        assert sorted(statuses) == [200, 302]
        assert db.session.query(SignIn).count() == before + 1
