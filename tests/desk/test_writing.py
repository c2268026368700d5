"""Replies, notes, drafts, canned replies, files, and the stop at send."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import files as bytes_on_disk
from helpdesk.agents.models import AfterSend
from helpdesk.canned_replies.operations import add_canned_reply
from helpdesk.database import db
from helpdesk.tickets import quota, triage
from helpdesk.tickets.drafts import Draft
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.uploads import NO_STORE
from tests.cast import RUTH, Cast
from tests.desk.conftest import Desk
from tests.desk.reading import text_of, values_of
from tests.factories import event_kinds, follow_up_letter, make_ticket, outbox

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def path_of(ticket: Ticket) -> str:
    """The address of its page."""
    return f"/desk/tickets/{ticket.number}"


def send(desk: Desk, ticket: Ticket, body: str = "Thank you, Ruth.", **form: Any) -> Any:
    """Fill in the reply form of the page as it is now, and send it."""
    (seen,) = values_of(desk.get(path_of(ticket)).text, "seen")
    return desk.post(f"{path_of(ticket)}/reply", **({"body": body, "then": "send", "seen": seen} | form))


def bodies(page: str) -> list[str]:
    """What stands in the two text fields: reply and note."""
    return values_of(page, "body")


@pytest.mark.parametrize(
    ("then", "status", "sentence"),
    [
        ("send", Status.OPEN, "Your reply is on its way to ruth@example.com."),
        ("wait", Status.PENDING, "Your reply is on its way to ruth@example.com. The ticket waits for the reader."),
        ("close", Status.CLOSED, "Your reply is on its way to ruth@example.com. The ticket is closed."),
    ],
)
def test_a_reply_goes_out_and_the_ticket_becomes_what_the_button_said(
    ann: Desk, cast: Cast, ticket: Ticket, then: str, status: Status, sentence: str
) -> None:
    answer = send(ann, ticket, then=then)
    assert (answer.status_code, answer.location) == (303, path_of(ticket))
    assert text_of(ann.get(answer.location).text, "p.flash") == [sentence]
    assert (ticket.status, ticket.assignee, ticket.messages[-1].body_text) == (status, cast.ann, "Thank you, Ruth.")
    assert event_kinds(ticket)[1] == "replied"
    assert [recipient.address for recipient in outbox()[-1].recipients] == [RUTH]


def test_the_recipient_is_always_in_view(ann: Desk, ticket: Ticket) -> None:
    assert text_of(ann.get(path_of(ticket)).text, "form#reply-form p.to") == [
        "To ruth@example.com from The Tidewater Post"
    ]


def test_a_note_is_kept_and_no_mail_leaves(ann: Desk, ticket: Ticket) -> None:
    mails = len(outbox())
    assert ann.post(f"{path_of(ticket)}/note", body="She is right.").status_code == 303
    assert (ticket.messages[-1].kind.value, event_kinds(ticket)[-1], len(outbox())) == ("note", "noted", mails)


def test_an_empty_reply_is_shown_again(ann: Desk, ticket: Ticket) -> None:
    answer = send(ann, ticket, body="  ")
    assert (answer.status_code, text_of(answer.text, "p.notice")) == (422, ["Write something first."])


def test_a_reply_with_an_unfilled_placeholder_is_not_sent(ann: Desk, ticket: Ticket) -> None:
    answer = send(ann, ticket, body="About {article_title}")
    assert (answer.status_code, bodies(answer.text)[0]) == (422, "About {article_title}")
    assert event_kinds(ticket) == ["opened"]


def test_files_go_along(ann: Desk, ticket: Ticket) -> None:
    send(ann, ticket, files=[(io.BytesIO(PNG), "plaque.png"), (io.BytesIO(b"words"), "words.txt")])
    assert [(file.name, file.size) for file in ticket.messages[-1].attachments] == [
        ("plaque.png", 40),
        ("words.txt", 5),
    ]
    assert [file["name"] for file in outbox()[-1].files] == ["plaque.png", "words.txt"]


def test_a_wrong_file_keeps_the_text_and_the_good_files(ann: Desk, ticket: Ticket) -> None:
    files = [(io.BytesIO(PNG), "plaque.png"), (io.BytesIO(b""), "empty.txt")]
    answer = send(ann, ticket, files=files)
    assert (answer.status_code, bodies(answer.text)[0]) == (422, "Thank you, Ruth.")
    assert text_of(answer.text, "p.notice") == ["“empty.txt” is empty. Choose another file."]
    assert text_of(answer.text, "ul.is-draft li") == ["plaque.png 40 bytes"]
    send(ann, ticket)
    assert [file.name for file in ticket.messages[-1].attachments] == ["plaque.png"]


def test_a_wrong_file_is_named_whatever_button_was_pressed(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    canned = add_canned_reply(cast.site, name="Thanks", body="Thanks.", by=cast.eve)
    ann.post(f"{path_of(ticket)}/draft", kind="reply", body="Look:", files=[(io.BytesIO(PNG), "plaque.png")])
    (file,) = db.session.query(Draft).one().attachments
    for place in ("draft", "draft/canned-reply", f"draft/files/{file.id}/remove"):
        empty = [(io.BytesIO(b""), "empty.txt")]
        answer = ann.post(f"{path_of(ticket)}/{place}", kind="reply", body="Look:", canned=canned.id, files=empty)
        assert (place, answer.status_code) == (place, 422)
        assert text_of(answer.text, "p.notice") == ["“empty.txt” is empty. Choose another file."]
    assert db.session.query(Draft).one().attachments == []


def test_a_file_is_taken_off_a_draft_and_the_text_stays(ann: Desk, ticket: Ticket) -> None:
    ann.post(f"{path_of(ticket)}/draft", kind="reply", body="Look:", files=[(io.BytesIO(PNG), "plaque.png")])
    (file,) = db.session.query(Draft).one().attachments
    ann.post(f"{path_of(ticket)}/draft/files/{file.id}/remove", kind="reply", body="Look here:")
    draft = db.session.query(Draft).one()
    assert (draft.body, draft.attachments) == ("Look here:", [])


def test_stop_at_send_holds_the_reply_beside_what_is_new(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    (seen,) = values_of(ann.get(path_of(ticket)).text, "seen")
    new = follow_up(ticket, letter=follow_up_letter("Please wait, I was wrong."))
    form = {"body": "You are right, Ruth.", "then": "close", "seen": seen, "files": [(io.BytesIO(PNG), "plaque.png")]}
    answer = ann.post(f"{path_of(ticket)}/reply", **form)
    assert (answer.status_code, bodies(answer.text)[0], text_of(answer.text, "ul.is-draft li")) == (
        409,
        "You are right, Ruth.",
        ["plaque.png 40 bytes"],
    )
    assert text_of(answer.text, "section.stopped blockquote") == [
        "Ruth Reed Please wait, I was wrong. Read it in place"
    ]
    assert text_of(answer.text, "article.is-fresh h3") == ["Ruth Reed New"]
    assert text_of(answer.text, "section.stopped button") == ["Send anyway", "Discard"]
    assert (values_of(answer.text, "seen"), [m.kind.value for m in ticket.messages]) == (
        [str(new.id)],
        ["reader", "reader"],
    )
    assert db.session.query(Draft).one().body == "You are right, Ruth."


def test_send_anyway_sends_it(ann: Desk, ticket: Ticket) -> None:
    follow_up(ticket, letter=follow_up_letter())
    held = send(ann, ticket, seen="0", then="close")
    assert held.status_code == 409
    answer = ann.post(
        f"{path_of(ticket)}/reply", body=bodies(held.text)[0], then="close", seen=values_of(held.text, "seen")[0]
    )
    assert (answer.status_code, ticket.status, db.session.query(Draft).count()) == (303, Status.CLOSED, 0)


def test_discard_forgets_text_and_files(ann: Desk, ticket: Ticket) -> None:
    send(ann, ticket, seen="0", files=[(io.BytesIO(PNG), "plaque.png")])
    assert ann.post(f"{path_of(ticket)}/draft/discard", kind="reply", body="whatever").status_code == 303
    assert (db.session.query(Draft).count(), bodies(ann.get(path_of(ticket)).text)[0]) == (0, "")


def test_a_draft_is_saved_by_script_and_waits_for_its_writer_alone(ann: Desk, eve: Desk, ticket: Ticket) -> None:
    answer = ann.post(f"{path_of(ticket)}/draft", kind="reply", body="Half a", headers={"Accept": "application/json"})
    assert (answer.status_code, list(answer.json or {})) == (200, ["files", "problems", "saved"])
    assert (bodies(ann.get(path_of(ticket)).text)[0], bodies(eve.get(path_of(ticket)).text)[0]) == ("Half a", "")


def test_a_draft_is_saved_without_script(ann: Desk, ticket: Ticket) -> None:
    answer = ann.post(f"{path_of(ticket)}/draft", kind="note", body="Half a note")
    assert (answer.status_code, answer.location) == (303, f"{path_of(ticket)}#composer")
    assert bodies(ann.get(path_of(ticket)).text) == ["", "Half a note"]


def test_a_canned_reply_is_filled_below_what_is_written(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    canned = add_canned_reply(
        cast.site, name="Thanks", body="Dear {reader_name}, about {article_title}: thanks. {agent_name}", by=cast.eve
    )
    filled = "Dear Ruth Reed, about {article_title}: thanks. Ann Archer"
    ann.post(f"{path_of(ticket)}/draft/canned-reply", kind="reply", body="Hello.", canned=canned.id)
    assert bodies(ann.get(path_of(ticket)).text)[0] == f"Hello.\n\n{filled}"
    assert ann.get(f"{path_of(ticket)}/canned-replies/{canned.id}").json == {"text": filled}
    assert ann.get(f"{path_of(ticket)}/canned-replies/999").status_code == 404


def test_choosing_no_canned_reply_keeps_the_text(ann: Desk, ticket: Ticket) -> None:
    answer = ann.post(f"{path_of(ticket)}/draft/canned-reply", kind="reply", body="Hello.", canned="")
    assert (answer.status_code, bodies(answer.text)[0]) == (422, "Hello.")


@pytest.mark.parametrize(
    ("choice", "location"),
    [
        (AfterSend.STAY, "/desk/tickets/1?in=unassigned"),
        (AfterSend.NEXT, "/desk/tickets/2?in=unassigned"),
        (AfterSend.LIST, "/desk/unassigned"),
    ],
)
def test_after_sending_everybody_goes_where_they_like(ann: Desk, cast: Cast, choice: AfterSend, location: str) -> None:
    first, _second = make_ticket(cast, body="One"), make_ticket(cast, body="Two")
    cast.ann.after_send = choice
    db.session.commit()
    answer = ann.post(
        f"{path_of(first)}/reply?in=unassigned", body="Thanks.", then="close", seen=str(first.messages[0].id)
    )
    assert (answer.status_code, answer.location) == (303, location)


def test_after_the_last_one_comes_the_list(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    cast.ann.after_send = AfterSend.NEXT
    db.session.commit()
    assert send(ann, ticket).location == "/desk/unassigned"


def test_a_reply_to_nobody_is_refused(ann: Desk, cast: Cast) -> None:
    nobody = make_ticket(cast, address="", name="")
    answer = ann.post(f"{path_of(nobody)}/reply", body="Hello?", then="send", seen="99")
    assert (answer.status_code, outbox()) == (403, [])


def test_a_reply_to_spam_is_still_possible_on_purpose(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    triage.mark_spam(ticket, by=cast.ann)
    assert (send(ann, ticket).status_code, ticket.status) == (303, Status.OPEN)


def test_class_63_drafts_hold_so_many_bytes_of_files_and_the_text_is_kept_without_more(
    ann: Desk, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "MOST_DRAFT_BYTES", 20)
    path = f"/desk/tickets/{ticket.number}/draft"
    answers = [
        ann.post(path, body=f"Text {number}", kind="note", files=(io.BytesIO(b"ten bytes."), f"{number}.txt"))
        for number in range(4)
    ]
    assert [quota.TOO_MANY_DRAFTS in answer.text for answer in answers] == [False, False, True, True]
    draft = db.session.scalars(select(Draft)).one()
    assert (draft.body, [file.name for file in draft.attachments]) == ("Text 3", ["0.txt", "1.txt"])
    assert len(bytes_on_disk.keys_older_than(float("inf"))) == 2


def test_class_63_the_last_of_the_disk_is_not_for_drafts_either(app: Flask, ann: Desk, ticket: Ticket) -> None:
    app.extensions["settings"].keep_free_bytes = 1 << 60
    path = f"/desk/tickets/{ticket.number}/draft"
    answer = ann.post(path, body="Text", kind="note", files=(io.BytesIO(b"ten bytes."), "a.txt"))
    assert (NO_STORE in answer.text, bytes_on_disk.keys_older_than(float("inf"))) == (True, [])
    assert db.session.scalars(select(Draft)).one().body == "Text"
