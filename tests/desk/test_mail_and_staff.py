"""Mail that needs a look, canned replies, one's own account, and the accounts of others."""

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import clock, files
from helpdesk.agents.models import AfterSend, Agent, SignIn
from helpdesk.agents.roles import Role
from helpdesk.canned_replies.models import CannedReply
from helpdesk.canned_replies.operations import add_canned_reply
from helpdesk.database import db
from helpdesk.desk.devices import device_name
from helpdesk.desk.mail_source import MOST_BYTES
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.outbound import rendering
from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from helpdesk.sites.models import Queue
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.reading import text_of
from tests.factories import make_ticket, outbox


def put_inbound(
    state: InboundState, reason: str, queue: Queue, *, raw: bytes = b"From: x\r\n\r\nHello"
) -> InboundEmail:
    """A mail that ended in some state."""
    email = InboundEmail(
        storage_key=files.put(raw), from_address="x@example.com", subject="Hello", state=state,
        reason=reason, attempts=3, received_at=clock.now(), queue=queue,
    )  # fmt: skip
    db.session.add(email)
    db.session.commit()
    return email


def test_mail_that_did_not_arrive_is_listed_with_its_reason(eve: Desk, cast: Cast, ticket: Ticket) -> None:
    recipient = reply(ticket, body="Thank you.", by=cast.ann).outbound_email.recipients[0]  # type: ignore[union-attr]
    recipient.state, recipient.error, recipient.attempts = DeliveryState.BOUNCED, "550 mailbox full", 1
    db.session.commit()
    rows = text_of(eve.get("/desk/mail").text, "ul.mails li")
    assert rows == [
        "ruth@example.com came back Re: The bridge is older 550 mailbox full now · tried 1 time · #1"
        " Retry to ruth@example.com Copy text to ruth@example.com Mark handled to ruth@example.com"
    ]
    assert eve.post(f"/desk/mail/out/{recipient.id}/retry").location == "/desk/mail"
    assert (recipient.state, ticket.events[-1].kind.value) == (DeliveryState.QUEUED, "send_retried")


def test_mail_of_a_restricted_queue_is_for_its_members(eve: Desk, carla: Desk, cast: Cast) -> None:
    secret = make_ticket(cast, queue=cast.legal)
    recipient = reply(secret, body="Thank you.", by=cast.carla).outbound_email.recipients[0]  # type: ignore[union-attr]
    recipient.state = DeliveryState.FAILED
    db.session.commit()
    email = put_inbound(InboundState.FAILED, "Too deep.", cast.legal)
    assert (
        text_of(eve.get("/desk/mail").text, "ul.mails li"),
        len(text_of(carla.get("/desk/mail").text, "ul.mails li")),
    ) == ([], 2)
    for path in (
        *(f"/desk/mail/out/{recipient.id}/{verb}" for verb in ("retry", "mark-handled")),
        *(f"/desk/mail/{email.id}/{verb}" for verb in ("retry", "make-ticket", "ignore")),
    ):
        assert (path, eve.post(path).status_code) == (path, 404)
    for path in (f"/desk/mail/{email.id}/raw", f"/desk/mail/out/{recipient.id}/text"):
        assert (path, eve.get(path).status_code) == (path, 404)


def failed_reply(ticket: Ticket, cast: Cast) -> OutboundRecipient:
    """Ann's answer, which did not arrive."""
    recipient = reply(ticket, body="It opened in 1932 <b>indeed</b>.", by=cast.ann).outbound_email.recipients[0]  # type: ignore[union-attr]
    recipient.state, recipient.error = DeliveryState.FAILED, "550 no such user"
    db.session.commit()
    return recipient


def test_a_mail_that_was_handled_leaves_the_list_and_the_ticket_tells_by_whom(
    eve: Desk, cast: Cast, ticket: Ticket
) -> None:
    recipient = failed_reply(ticket, cast)
    assert eve.post(f"/desk/mail/out/{recipient.id}/mark-handled").location == "/desk/mail"
    eve.post(f"/desk/mail/out/{recipient.id}/mark-handled")
    page = eve.get("/desk/mail").text
    assert (text_of(page, "ul.mails li"), text_of(page, "ul.why li")) == ([], [])
    event = ticket.events[-1]
    assert (event.kind.value, event.actor, event.sentence, recipient.handled_by) == (
        "send_handled", "Eve Ellis", "handled the mail to ruth@example.com that did not arrive", "Eve Ellis",
    )  # fmt: skip
    assert [one.kind.value for one in ticket.events].count("send_handled") == 1


def test_the_text_of_a_mail_that_did_not_arrive_is_there_to_be_copied(eve: Desk, cast: Cast, ticket: Ticket) -> None:
    recipient = failed_reply(ticket, cast)
    page = eve.get(f"/desk/mail/out/{recipient.id}/text").text
    [words] = text_of(page, "textarea#words")
    assert words.startswith("It opened in 1932 <b>indeed</b>.")
    assert words == " ".join(rendering.text_of(recipient.email).split())


def test_class_49_the_text_of_mail_about_an_account_is_for_nobody(eve: Desk, carla: Desk, cast: Cast) -> None:
    carla.post(f"/desk/agents/{cast.ann.id}/invite")
    recipient = outbox()[-1].recipients[0]
    recipient.state = DeliveryState.FAILED
    db.session.commit()
    assert "Copy text" not in (page := eve.get("/desk/mail").text)
    assert "Mark handled" in page
    assert eve.get(f"/desk/mail/out/{recipient.id}/text").status_code == 404
    eve.post(f"/desk/mail/out/{recipient.id}/mark-handled")
    assert recipient.handled_by == "Eve Ellis"


def test_a_mail_that_arrived_is_neither_handled_nor_copied(eve: Desk, cast: Cast, ticket: Ticket) -> None:
    recipient = failed_reply(ticket, cast)
    recipient.state = DeliveryState.SENT
    db.session.commit()
    assert eve.get(f"/desk/mail/out/{recipient.id}/text").status_code == 404
    eve.post(f"/desk/mail/out/{recipient.id}/mark-handled")
    assert text_of(eve.get("/desk/mail").text, "p.flash") == [
        "Only a mail that did not arrive can be marked as handled."
    ]
    assert recipient.handled_at is None


def test_mail_that_became_no_ticket_is_listed_and_read_again(eve: Desk, cast: Cast) -> None:
    put_inbound(InboundState.IGNORED, "The same mail came before.", cast.queue)
    failed = put_inbound(InboundState.FAILED, "Too deep.", cast.queue)
    page = eve.get("/desk/mail").text
    assert text_of(page, "p.reason") == ["Too deep.", "The same mail came before."]
    assert text_of(page, "nav.side [aria-current]") == ["Mail 1"]
    eve.post(f"/desk/mail/{failed.id}/retry")
    assert (failed.state, failed.attempts) == (InboundState.RECEIVED, 0)


def test_a_ticket_is_made_of_a_mail_that_became_none(eve: Desk, cast: Cast) -> None:
    email = put_inbound(InboundState.REJECTED, "Too deep.", cast.queue)
    answer = eve.post(f"/desk/mail/{email.id}/make-ticket")
    assert answer.location == f"/desk/tickets/{email.became.ticket.number}"  # type: ignore[union-attr]
    assert "I made this ticket of a mail that had become none: Too deep." in eve.get(answer.location).text
    again = eve.post(f"/desk/mail/{email.id}/make-ticket")
    page = eve.get(again.location).text
    assert text_of(page, "p.flash") == ["This mail is no longer among those that became no ticket."]
    assert text_of(page, "ul.mails li") == []


def test_a_mail_that_is_rightly_no_ticket_leaves_the_list(eve: Desk, cast: Cast) -> None:
    email = put_inbound(InboundState.FAILED, "Too deep.", cast.queue)
    eve.post(f"/desk/mail/{email.id}/ignore")
    page = eve.get("/desk/mail").text
    assert (text_of(page, "ul.mails li"), text_of(page, "nav.side [aria-current]")) == ([], ["Mail"])
    assert (email.ignored_by, email.reason) == ("Eve Ellis", "Too deep.")
    assert eve.get(f"/desk/mail/{email.id}/raw").data == b"From: x\r\n\r\nHello"


def test_class_2_a_mail_that_became_no_ticket_can_be_viewed_and_nothing_of_it_is_rendered(
    eve: Desk, ann: Desk, cast: Cast
) -> None:
    raw = b"From: x\r\nSubject: a\x00b\r\n\r\n</textarea><script>alert(1)</script>\xff\xe2\x80\xae" + b"y" * MOST_BYTES
    email = put_inbound(InboundState.FAILED, "Too deep.", cast.queue, raw=raw)
    link = f"/desk/mail/{email.id}/view"
    assert link in eve.get("/desk/mail").text
    page = eve.get(link).text
    [source] = text_of(page, "textarea#source")
    assert source.startswith("From: x Subject: a\ufffdb </textarea><script>alert(1)</script>\ufffd\ufffdy")
    assert ("<script>alert" in page, "This is the beginning." in page) == (False, True)
    assert ann.get(link).status_code == 404
    files.delete(email.storage_key)
    assert eve.get(link).status_code == 404


def test_the_mail_page_is_not_for_agents(ann: Desk) -> None:
    assert ann.get("/desk/mail").status_code == 403


def test_a_canned_reply_is_written_changed_and_deleted(eve: Desk, cast: Cast) -> None:
    form = {"site": cast.site.id, "name": "Thanks", "body": "Dear {reader_name}"}
    assert eve.post("/desk/canned-replies/new", **form).location == "/desk/canned-replies"
    canned = db.session.scalars(select(CannedReply)).one()
    eve.post(f"/desk/canned-replies/{canned.id}", **(form | {"name": "Many thanks"}))
    assert text_of(eve.get("/desk/canned-replies").text, "ul.plain-list a") == ["Many thanks"]
    eve.post(f"/desk/canned-replies/{canned.id}/remove")
    assert db.session.scalars(select(CannedReply)).all() == []


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("", "Hello", 422),
        ("New", "", 422),
        ("New", "{nonsense}", 422),
        ("New", "{{ 7 * 7 }}", 422),
        ("Thanks", "Hello", 409),
    ],
)
def test_a_canned_reply_that_cannot_be_is_shown_again(eve: Desk, cast: Cast, name: str, body: str, status: int) -> None:
    add_canned_reply(cast.site, name="Thanks", body="Thanks", by=cast.eve)
    answer = eve.post("/desk/canned-replies/new", site=cast.site.id, name=name, body=body)
    assert (answer.status_code, db.session.query(CannedReply).count()) == (status, 1)
    assert text_of(answer.text, "textarea#body") == [body]


def test_class_44_a_canned_reply_is_no_template(eve: Desk, cast: Cast, ticket: Ticket) -> None:
    canned = add_canned_reply(cast.site, name="Sum", body="$7*7 %s {agent_name.__class__", by=cast.eve)
    assert eve.get(f"/desk/tickets/1/canned-replies/{canned.id}").json == {"text": "$7*7 %s {agent_name.__class__"}


def test_an_account_is_changed_by_its_owner(ann: Desk, cast: Cast) -> None:
    form = {"name": "Ann A. Archer", "timezone": "Europe/Berlin", "after_send": "next"}
    assert ann.post("/desk/account", **form).location == "/desk/account"
    agent = cast.ann
    assert (agent.name, agent.timezone, agent.keyboard, agent.after_send) == (
        "Ann A. Archer",
        "Europe/Berlin",
        False,
        AfterSend.NEXT,
    )


def test_class_56_an_account_does_not_take_more_than_its_form_has(ann: Desk, cast: Cast) -> None:
    ann.post(
        "/desk/account", name="Ann", timezone="UTC", after_send="stay", role="admin", active="", email="x@example.org"
    )
    assert (cast.ann.role, cast.ann.active, cast.ann.email) == (Role.AGENT, True, "ann@example.org")


def test_an_unknown_time_zone_is_shown_again(ann: Desk, cast: Cast) -> None:
    answer = ann.post("/desk/account", name="Ann", timezone="Mars/Base", after_send="stay")
    assert (answer.status_code, text_of(answer.text, "p.field-error")) == (
        422,
        ["Write a time zone such as Europe/Berlin."],
    )
    assert cast.ann.timezone == "UTC"


def test_single_keys_are_loaded_only_for_those_who_want_them(ann: Desk, cast: Cast) -> None:
    assert "desk/keys.js" in ann.get("/desk/unassigned").text
    cast.ann.keyboard = False
    db.session.commit()
    assert "desk/keys.js" not in ann.get("/desk/unassigned").text


def test_another_device_is_signed_out_from_here(app: Flask, ann: Desk, cast: Cast) -> None:
    lost = Desk(app)
    lost.sign_in(cast.ann.email)
    assert len(text_of(ann.get("/desk/account").text, "li.with-button")) == 2
    sign_in = db.session.scalars(select(SignIn).order_by(SignIn.id.desc())).first()
    ann.post(f"/desk/account/sign-ins/{sign_in.id}/end")  # type: ignore[union-attr]
    assert (lost.get("/desk/unassigned").status_code, ann.get("/desk/unassigned").status_code) == (303, 200)


def test_class_49_nobody_signs_out_somebody_elses_device(ann: Desk, eve: Desk, cast: Cast) -> None:
    hers = db.session.scalars(select(SignIn).where(SignIn.agent_id == cast.eve.id)).one()
    assert (ann.post(f"/desk/account/sign-ins/{hers.id}/end").status_code, hers.ended_at) == (404, None)


def test_a_device_is_named_by_browser_and_system() -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
    assert [device_name(said) for said in (firefox, iphone, "curl/8.0", "")] == [
        "Firefox on Linux", "Safari on iPhone", "curl/8.0", "Unknown device",
    ]  # fmt: skip


def test_a_colleague_is_added_and_chooses_a_password_by_mail(app: Flask, carla: Desk, cast: Cast) -> None:
    form = {"name": "Nora New", "email": "Nora@Example.org", "role": "editor", "queues": [cast.queue.id]}
    assert carla.post("/desk/agents", **form).location == "/desk/agents"
    nora = db.session.scalars(select(Agent).where(Agent.email == "nora@example.org")).one()
    assert (nora.role, nora in cast.queue.members, outbox()[-1].subject) == (Role.EDITOR, True, "Your helpdesk account")
    link = next(line for line in rendering.text_of(outbox()[-1]).splitlines() if line.startswith("http"))
    desk = Desk(app)
    password = {"password": "an own new long password", "password_confirm": "an own new long password"}
    assert desk.post(link.removeprefix("http://localhost"), **password).location == "/desk/sign-in"
    assert desk.sign_in("nora@example.org", "an own new long password").status_code == 302


def test_a_second_account_for_an_address_is_refused(carla: Desk, cast: Cast) -> None:
    answer = carla.post("/desk/agents", name="Ann", email="ann@example.org", role="agent")
    assert (answer.status_code, text_of(answer.text, "p.notice")) == (409, ["ann@example.org has an account already."])


def test_role_and_queues_are_given_and_taken(carla: Desk, cast: Cast) -> None:
    carla.post(f"/desk/agents/{cast.ann.id}", role="editor", queues=[cast.legal.id])
    assert (cast.ann.role, cast.ann in cast.queue.members, cast.ann in cast.legal.members) == (Role.EDITOR, False, True)


def test_an_account_is_closed_and_opened(carla: Desk, cast: Cast) -> None:
    carla.post(f"/desk/agents/{cast.ann.id}/deactivate")
    assert cast.ann.active is False
    carla.post(f"/desk/agents/{cast.ann.id}/reactivate")
    assert cast.ann.active is True


def test_an_admin_does_not_lock_the_door_from_inside(carla: Desk, cast: Cast) -> None:
    carla.post(f"/desk/agents/{cast.carla.id}/deactivate")
    assert carla.post(f"/desk/agents/{cast.carla.id}", role="agent").status_code == 403
    assert (cast.carla.active, cast.carla.role) == (True, Role.ADMIN)
