"""The token of a reader form: ours, for this site, and for a day."""

import pytest

from helpdesk import clock
from helpdesk.contact.form_token import FormToken, read_form_token
from helpdesk.tickets.links import status_path
from helpdesk.tokens import Kind, keyring
from tests.cast import Cast
from tests.factories import make_ticket


def test_token_brings_back_what_it_was_made_of(cast: Cast) -> None:
    token = FormToken(cast.site.id)
    assert read_form_token(cast.site, token.signed()) == token
    assert len(token.key) == 16


def test_each_page_has_its_own_submission_key(cast: Cast) -> None:
    assert FormToken(cast.site.id).submission_key != FormToken(cast.site.id).submission_key


@pytest.mark.parametrize(("age", "is_expired"), [(0, False), (86_400, False), (86_460, True)])
def test_token_lasts_a_day(cast: Cast, age: int, is_expired: bool) -> None:
    token = FormToken(cast.site.id, issued_at=int(clock.now().timestamp()) - age)
    assert token.is_expired is is_expired


def test_page_shown_again_keeps_the_key_and_may_be_sent_at_once(cast: Cast) -> None:
    token = FormToken(cast.site.id, issued_at=0)
    again = token.again()
    assert (again.key, again.is_expired, again.age >= 3) == (token.key, False, True)


def test_token_of_another_site_or_another_kind_is_none(cast: Cast) -> None:
    status = status_path(make_ticket(cast)).rpartition("/")[2]
    short = keyring().issue(Kind.FORM, b"short")
    other = FormToken(cast.site.id + 1).signed()
    assert [read_form_token(cast.site, text) for text in (status, short, other, "", " ")] == [None] * 5
