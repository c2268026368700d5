"""Two-factor: set up with an app, asked for at sign-in, recovery codes, limits, and required of everybody."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from passlib.totp import TOTP
from werkzeug.test import TestResponse

from helpdesk import clock
from helpdesk.agents import tries
from helpdesk.agents.models import Agent, DeskSetting, Passkey
from helpdesk.agents.second_factor import decide_second_factor
from helpdesk.database import db
from helpdesk.outbound.rendering import text_of
from helpdesk.tickets.staff import account_history
from tests.cast import PASSWORD, Cast
from tests.conftest import token_in
from tests.desk.conftest import Desk
from tests.factories import outbox

SETUP = "/desk/account/two-factor"


class Phone:
    """An app that knows the secret, and never shows a code twice."""

    def __init__(self, page: str) -> None:
        found = re.search(r'<code class="secret">([^<]+)</code>', page)
        assert found is not None
        self._totp = TOTP(key=found.group(1).replace("-", "").replace(" ", ""))
        self._next = 0

    def code(self) -> str:
        """The code of now, or the next one."""
        now = int(clock.now().timestamp())
        token = self._totp.generate(now + 30 * self._next)
        self._next += 1
        return str(token.token)


@pytest.fixture
def phone(ann: Desk) -> Phone:
    """Ann's phone, set up."""
    phone = Phone(ann.get(SETUP).text)
    assert ann.post(SETUP, code=phone.code()).status_code == 200
    return phone


@pytest.fixture
def codes(ann: Desk, phone: Phone) -> list[str]:
    """Ann's recovery codes."""
    return shown(ann.post(f"{SETUP}/codes").text)


@pytest.fixture
def at_second_step(app: Flask, cast: Cast, phone: Phone) -> Desk:
    """A browser in which Ann's password was right."""
    return half_in(app, cast)


def half_in(app: Flask, cast: Cast, password: str = PASSWORD, place: str = "127.0.0.1") -> Desk:
    """Another browser in which Ann's password was right, in some network."""
    desk = Desk(app)
    desk.client.environ_base["REMOTE_ADDR"] = place
    assert desk.sign_in(cast.ann.email, password).location.startswith("/desk/sign-in/code")
    return desk


def enter(desk: Desk, code: str, page: str = "code") -> TestResponse:
    """Fill in the page of the second step."""
    path = f"/desk/sign-in/{page}"
    return desk.client.post(path, data={"csrf_token": token_in(desk.get(path).text), "code": code})


def shown(page: str) -> list[str]:
    """The recovery codes on a page."""
    return re.findall(r"<li><code>([0-9a-f-]{14})</code></li>", page)


def is_in(desk: Desk) -> bool:
    """True when this browser may see the desk."""
    return desk.get("/desk/unassigned").status_code == 200


def test_an_app_is_set_up_with_a_picture_and_its_first_code(ann: Desk, cast: Cast) -> None:
    page = ann.get(SETUP).text
    assert 'src="data:image/svg+xml;base64,' in page
    phone = Phone(page)
    wrong = ann.post(SETUP, code="000000")
    assert (wrong.status_code, "That code is not right." in wrong.text, cast.ann.has_second_factor) == (
        422,
        True,
        False,
    )
    done = ann.post(SETUP, code=phone.code())
    assert (done.status_code, len(shown(done.text)), cast.ann.has_second_factor) == (200, 10, True)
    assert "From now on a code of your app is asked for" in text_of(outbox()[-1])
    assert phone._totp.base32_key not in str(cast.ann.tf_totp_secret)


def test_the_password_alone_opens_nothing_and_the_code_does(at_second_step: Desk, phone: Phone) -> None:
    assert not is_in(at_second_step)
    wrong = enter(at_second_step, "000000")
    assert (wrong.status_code, "That code is not right" in wrong.text, is_in(at_second_step)) == (200, True, False)
    assert enter(at_second_step, phone.code()).location == "/desk/"
    assert is_in(at_second_step)


def test_turning_it_on_ends_every_sign_in_that_knew_no_code(
    ann: Desk, cast: Cast, at_desk: Callable[[Agent], Desk]
) -> None:
    elsewhere = at_desk(cast.ann)
    ann.post(SETUP, code=Phone(ann.get(SETUP).text).code())
    assert (is_in(ann), is_in(elsewhere)) == (True, False)


def test_all_other_devices_are_signed_out_at_once(ann: Desk, cast: Cast, at_desk: Callable[[Agent], Desk]) -> None:
    others = [at_desk(cast.ann), at_desk(cast.ann)]
    assert "Sign out all other devices" in ann.get("/desk/account").text
    ann.post("/desk/account/sign-ins/end-others")
    assert [is_in(desk) for desk in (ann, *others)] == [True, False, False]


def test_a_code_works_once(app: Flask, cast: Cast, at_second_step: Desk, phone: Phone) -> None:
    code = phone.code()
    enter(at_second_step, code)
    thief = half_in(app, cast)
    enter(thief, code)
    assert (is_in(at_second_step), is_in(thief)) == (True, False)


def test_a_recovery_code_works_once_however_it_is_typed(
    app: Flask, cast: Cast, codes: list[str], at_second_step: Desk
) -> None:
    assert enter(at_second_step, "0000-0000-0000", "recovery").status_code == 200
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert enter(at_second_step, typed, "recovery").status_code == 302
    assert (is_in(at_second_step), len(cast.ann.mf_recovery_codes or [])) == (True, 9)
    again = half_in(app, cast)
    assert "or it was used already" in enter(again, codes[0], "recovery").text
    assert not is_in(again)
    assert codes[1] not in str(cast.ann.mf_recovery_codes)


def test_new_recovery_codes_replace_the_old_ones(ann: Desk, codes: list[str], at_second_step: Desk) -> None:
    assert len(set(shown(ann.post(f"{SETUP}/codes").text)) | set(codes)) == 20
    enter(at_second_step, codes[0], "recovery")
    assert not is_in(at_second_step)


def test_guessing_codes_ends_soon_even_for_the_right_one(at_second_step: Desk, phone: Phone) -> None:
    answers = [enter(at_second_step, f"{n:06}").status_code for n in range(12)]
    assert answers == [200] * 10 + [429] * 2
    right = enter(at_second_step, phone.code())
    assert (right.status_code, int(right.headers["Retry-After"]) > 0) == (429, True)


def test_guessing_codes_from_many_networks_ends_too(app: Flask, cast: Cast, phone: Phone) -> None:
    statuses = []
    for place in range(3):
        desk = half_in(app, cast, place=f"198.51.{place}.7")
        statuses += [enter(desk, f"{n:06}").status_code for n in range(8)]
    assert statuses == [200] * 20 + [429] * 4


def test_nobody_reaches_the_second_step_without_the_first(app: Flask, cast: Cast, phone: Phone) -> None:
    stranger = Desk(app)
    for path in ("/desk/sign-in/code", "/desk/sign-in/recovery"):
        assert stranger.get(path).location == "/desk/sign-in"
        assert stranger.post(path, code=phone.code()).location == "/desk/sign-in"
    assert not is_in(stranger)


def test_who_turns_to_a_passkey_begins_anew(at_second_step: Desk) -> None:
    assert at_second_step.get("/desk/sign-in/passkey").status_code == 200
    assert at_second_step.get("/desk/sign-in/code").location == "/desk/sign-in"


def test_passkeys_from_one_network_have_a_limit(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "PER_NETWORK", 2)
    desk = Desk(app)
    token = token_in(desk.get("/desk/sign-in").text)
    form = {"csrf_token": token, "credential": "{}"}
    statuses = [desk.client.post("/desk/sign-in/passkey/x", data=form).status_code for _ in range(3)]
    assert statuses == [302, 302, 429]


def test_the_page_for_the_code_signs_out_nobody(ann: Desk, phone: Phone) -> None:
    assert ann.get("/desk/sign-in/code").location == "/desk/"
    assert is_in(ann)


def test_who_signed_in_a_while_ago_is_asked_again(ann: Desk, cast: Cast, phone: Phone) -> None:
    ann.client.application.config.update(  # type: ignore[union-attr]
        SECURITY_FRESHNESS=timedelta(microseconds=1), SECURITY_FRESHNESS_GRACE_PERIOD=timedelta(0)
    )
    ann.get(SETUP)  # the end of the grace that the fixture began
    asked = "/desk/verify?next=/desk/account/two-factor"
    assert [ann.get(SETUP).location, ann.post(f"{SETUP}/off").location, ann.post(f"{SETUP}/codes").location] == [
        asked
    ] * 3
    assert ann.post("/desk/account/passkeys", name="x", usage="first").location.startswith("/desk/verify")
    assert cast.ann.has_second_factor


def test_it_is_turned_off_again_and_the_owner_hears_of_it(
    app: Flask, ann: Desk, cast: Cast, phone: Phone, at_second_step: Desk
) -> None:
    ann.post(f"{SETUP}/off")
    assert (cast.ann.tf_totp_secret, cast.ann.mf_recovery_codes) == (None, None)
    assert "your password is enough" in text_of(outbox()[-1])
    desk = Desk(app)
    desk.sign_in(cast.ann.email)
    assert is_in(desk)


def test_another_phone_takes_the_place_of_the_first(ann: Desk, cast: Cast, phone: Phone) -> None:
    before = cast.ann.tf_totp_secret
    another = Phone(ann.get(f"{SETUP}?new=1").text)
    wrong = ann.post(SETUP, code="000000")
    assert (wrong.status_code, cast.ann.tf_totp_secret, "Let it read this picture" in wrong.text) == (422, before, True)
    assert ann.post(SETUP, code=another.code()).status_code == 200
    assert cast.ann.tf_totp_secret != before


def test_a_code_without_a_picture_before_changes_nothing(ann: Desk, cast: Cast, phone: Phone) -> None:
    before = cast.ann.tf_totp_secret
    assert ann.post(SETUP, code=phone.code()).location == SETUP
    assert cast.ann.tf_totp_secret == before


def test_an_admin_helps_who_lost_the_phone(app: Flask, carla: Desk, ann: Desk, cast: Cast, phone: Phone) -> None:
    db.session.add(Passkey(agent=cast.ann, name="Phone", credential_id=b"1", public_key=b"k", usage="first",
                           device_type="single_device", lastuse_datetime=clock.now()))  # fmt: skip
    db.session.commit()
    decide_second_factor(True)
    carla.client.post(f"/desk/agents/{cast.ann.id}/devices/forget", data={"csrf_token": token(carla)})
    assert cast.ann.has_second_factor  # Carla has no second step herself
    decide_second_factor(False)
    assert "Ann is signed out everywhere at once." in carla.get(f"/desk/agents/{cast.ann.id}/devices/forget").text
    carla.post(f"/desk/agents/{cast.ann.id}/devices/forget")
    assert (cast.ann.has_second_factor, cast.ann.webauthn, is_in(ann)) == (False, [], False)
    assert account_history(cast.ann)[0].sentence == "changed the second step: took away app, codes and passkeys"
    assert "were taken away by an admin" in text_of(outbox()[-1])
    desk = Desk(app)
    desk.sign_in(cast.ann.email)
    assert is_in(desk)


def test_a_new_password_does_not_go_around_the_code(app: Flask, ann: Desk, cast: Cast, phone: Phone) -> None:
    new = "a horse that is not the old one"
    ann.post("/desk/password/change", password=PASSWORD, new_password=new, new_password_confirm=new)
    assert not is_in(half_in(app, cast, new))


def test_required_of_everybody_it_blocks_every_other_page(carla: Desk, ann: Desk, cast: Cast) -> None:
    carla.post("/desk/agents/two-factor", required="1")
    assert db.session.query(DeskSetting).one().value == "required"
    for path in ("/desk/", "/desk/unassigned", "/desk/account", "/desk/password/change", "/desk/account/passkeys"):
        assert (path, ann.get(path).location) == (path, SETUP)
    assert ann.client.post("/desk/account", data={"csrf_token": token(ann)}).location == SETUP
    assert carla.get("/desk/agents").location == SETUP
    page = ann.get(SETUP).text
    assert "Everybody needs a second step here." in page
    ann.client.post(SETUP, data={"csrf_token": token(ann), "code": Phone(page).code()})
    assert is_in(ann)
    off = ann.post(f"{SETUP}/off")
    assert (off.status_code, cast.ann.has_second_factor) == (403, True)


def test_required_of_everybody_the_next_sign_in_leads_there(app: Flask, cast: Cast) -> None:
    decide_second_factor(True)
    desk = Desk(app)
    desk.client.post("/desk/sign-in", data={"csrf_token": token(desk), "email": cast.sam.email, "password": PASSWORD})
    for path in ("/desk/mine", "/desk/search?q=the", "/desk/readers", "/desk/tickets/1"):
        assert (path, desk.get(path).location) == (path, SETUP)
    decide_second_factor(False)
    assert is_in(desk)


def test_the_pages_that_are_not_ours_are_closed(ann: Desk) -> None:
    for path in ("tf-setup", "tf-rescue", "tf-select", "mf-recovery-codes", "wan-verify"):
        assert (path, ann.get(f"/desk/{path}").status_code) == (path, 404)


def token(desk: Desk) -> str:
    """The token of whatever page this browser is led to."""
    page = desk.client.get(SETUP)
    return token_in((page if page.status_code == 200 else desk.client.get("/desk/sign-in")).text)


def test_every_agent_has_his_own_secret(ann: Desk, eve: Desk, cast: Cast) -> None:
    phones = {Phone(desk.get(SETUP).text)._totp.base32_key for desk in (ann, eve)}
    assert len(phones) == 2
    assert db.session.query(Agent).filter(Agent.tf_totp_secret.is_not(None)).count() == 0
