"""Mail that somebody saw to does not vanish: it has a page, its raw bytes, and a way back."""

import pytest

from helpdesk import files
from helpdesk.database import db
from helpdesk.inbound.models import InboundState
from helpdesk.inbound.receiving import receive
from helpdesk.outbound.models import DeliveryState
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.reading import text_of
from tests.letters import letter, put


def test_what_was_seen_to_has_a_page_of_its_own_and_can_still_become_a_ticket(eve: Desk, cast: Cast) -> None:
    refused, ignored = put(), receive(letter(subject="A bargain"))
    refused.recipients[0].state, refused.recipients[0].error = DeliveryState.FAILED, "550 no such user"
    ignored.state, ignored.reason, ignored.subject = InboundState.FAILED, "Too deep.", "A bargain"
    db.session.commit()
    assert text_of(eve.get("/desk/mail/seen-to").text, "ul.mails li") == []
    eve.post(f"/desk/mail/out/{refused.recipients[0].id}/mark-handled")
    eve.post(f"/desk/mail/{ignored.id}/ignore")
    assert text_of(eve.get("/desk/mail").text, "ul.mails li") == []
    page = eve.get("/desk/mail/seen-to").text
    assert text_of(page, "ul.mails li .reason") == ["550 no such user", "Too deep."]
    assert ("handled by Eve Ellis" in page, "ignored by Eve Ellis" in page) == (True, True)
    assert text_of(page, "ul.mails li button") == ["Retry to ruth@example.com", "Make a ticket A bargain"]
    assert eve.get(f"/desk/mail/{ignored.id}/raw").data == files.get(ignored.storage_key)


def test_a_list_that_is_cut_says_so(eve: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpdesk.desk.views.mail.MOST", 1)
    email = receive(letter())
    email.state, email.reason = InboundState.FAILED, "Too deep."
    db.session.commit()
    assert "These are the latest 1; there are more." in eve.get("/desk/mail").text
