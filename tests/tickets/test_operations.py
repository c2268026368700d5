"""What readers and staff do with words: state, then event, then mail."""

import pytest

from helpdesk import clock
from helpdesk.database import db
from helpdesk.errors import Conflict, Invalid, Refused
from helpdesk.outbound.rendering import html_of, text_of
from helpdesk.readers.models import Reader
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.models import Origin, Resolution, Status, Then, Ticket
from helpdesk.tickets.operations import Letter, follow_up, open_ticket
from helpdesk.tickets.replying import add_note, newest_public_id, reply
from helpdesk.tickets.triage import close, mark_spam
from helpdesk.tickets.uploads import find_draft, save_draft
from helpdesk.uploads import store
from tests.cast import ARTICLE_URL, RUTH, Cast
from tests.factories import event_kinds, follow_up_letter, make_ticket, outbox


def test_a_letter_becomes_a_new_ticket_about_its_article(cast: Cast) -> None:
    ticket = make_ticket(cast)
    assert (ticket.number, ticket.status, ticket.reader.address) == (1, Status.NEW, RUTH)
    assert ticket.article.canonical_url == ARTICLE_URL
    assert ticket.waiting_since == ticket.sort_at == ticket.last_message_at
    assert ticket.preview == "The bridge opened in 1932, not 1923. It says so on the plaque."
    assert [event.sentence for event in ticket.events] == ["opened this ticket and got a receipt"]
    assert [mail.subject for mail in outbox()] == ["We have your message (#1)"]


def test_no_receipt_goes_to_a_reader_who_wants_no_answer(cast: Cast) -> None:
    ticket = make_ticket(cast, wants_answer=False)
    assert [event.sentence for event in ticket.events] == ["opened this ticket"]
    assert outbox() == []


def test_class_27_one_address_gets_one_receipt_a_day(cast: Cast) -> None:
    for number in range(5):
        make_ticket(cast, body=f"Message {number}")
    make_ticket(cast, address="RUTH@example.com")
    assert [mail.subject for mail in outbox()] == ["We have your message (#1)"]


def test_the_receipt_holds_none_of_the_readers_words(cast: Cast) -> None:
    make_ticket(cast, body="BUY PILLS", name="Cheap Pills", subject="BUY PILLS NOW")
    (receipt,) = outbox()
    assert "pills" not in (receipt.subject + text_of(receipt) + html_of(receipt)).lower()
    assert receipt.headers["Auto-Submitted"] == "auto-replied"


def test_the_same_submission_twice_is_one_ticket(cast: Cast) -> None:
    letter = Letter(body_text="Twice", from_address=RUTH, submission_key="k1", content_hash="h1")
    first = make_ticket(cast, letter=letter)
    second = make_ticket(cast, letter=letter)
    changed = make_ticket(
        cast, letter=Letter(body_text="Other", from_address=RUTH, submission_key="k1", content_hash="h2")
    )
    assert (second.id, changed.id == first.id) == (first.id, False)
    assert db.session.query(Ticket).count() == 2


def test_one_reader_is_known_in_any_spelling_of_the_address(cast: Cast) -> None:
    make_ticket(cast)
    make_ticket(cast, address="Ruth@EXAMPLE.com", name="")
    assert [(reader.name, reader.address) for reader in db.session.query(Reader)] == [("Ruth Reed", RUTH)]


def test_an_anonymous_ticket_cannot_be_answered(cast: Cast) -> None:
    ticket = make_ticket(cast, address="", name="")
    with pytest.raises(Refused):
        reply(ticket, body="Hello", by=cast.ann)
    assert (ticket.reader, event_kinds(ticket), outbox()) == (None, ["opened"], [])


def test_a_reply_takes_the_ticket_and_waits_for_the_reader(cast: Cast) -> None:
    ticket = make_ticket(cast)
    message = reply(ticket, body="Thank you, we will look.", by=cast.ann, then=Then.WAIT)
    assert (ticket.status, ticket.assignee, ticket.waiting_since) == (Status.PENDING, cast.ann, None)
    assert ticket.first_replied_at == ticket.last_message_at == ticket.sort_at
    assert event_kinds(ticket) == ["opened", "replied", "assigned"]
    mail = outbox()[-1]
    assert (mail.message_id, [row.address for row in mail.recipients]) == (message.message_id, [RUTH])


def test_send_alone_leaves_the_ticket_open(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="One moment.", by=cast.ann)
    assert (ticket.status, ticket.waiting_since) == (Status.OPEN, None)


def test_send_and_close_closes_as_answered(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Corrected. Thank you.", by=cast.ann, then=Then.CLOSE)
    assert (ticket.status, ticket.resolution) == (Status.CLOSED, Resolution.ANSWERED)
    assert event_kinds(ticket)[-3:] == ["replied", "assigned", "closed"]


def test_follow_up_reopens_a_pending_ticket(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    message = follow_up(ticket, letter=follow_up_letter())
    assert (ticket.status, ticket.waiting_since) == (Status.OPEN, message.created_at)
    assert event_kinds(ticket)[-1] == "followed_up"


def test_follow_up_reopens_a_closed_ticket(cast: Cast) -> None:
    ticket = make_ticket(cast)
    close(ticket, resolution=Resolution.CORRECTED, by=cast.ann)
    follow_up(ticket, letter=follow_up_letter())
    assert (ticket.status, ticket.resolution, ticket.closed_at) == (Status.OPEN, None, None)
    assert event_kinds(ticket)[-3:] == ["closed", "followed_up", "reopened"]


def test_follow_up_after_the_window_opens_a_new_ticket_that_continues_the_old(cast: Cast) -> None:
    ticket = make_ticket(cast)
    close(ticket, resolution=Resolution.ANSWERED, by=cast.ann)
    cast.site.reopen_days = 0
    db.session.commit()
    message = follow_up(ticket, letter=follow_up_letter())
    assert (ticket.status, message.ticket.number, message.ticket.continues) == (Status.CLOSED, 2, ticket)
    assert (message.ticket.article, message.ticket.subject) == (ticket.article, ticket.subject)


def test_what_comes_after_goes_into_the_ticket_that_continues(cast: Cast) -> None:
    ticket = make_ticket(cast)
    close(ticket, resolution=Resolution.ANSWERED, by=cast.ann)
    cast.site.reopen_days = 0
    db.session.commit()
    first, second = (follow_up(ticket, letter=follow_up_letter(words)) for words in ("One", "Two"))
    stranger = follow_up(ticket, letter=follow_up_letter("Three", from_address="eve@example.net"))
    assert (second.ticket, second.ticket.message_count) == (first.ticket, 2)
    assert stranger.ticket not in (ticket, first.ticket)


def test_a_second_follow_up_does_not_make_the_reader_wait_anew(cast: Cast) -> None:
    ticket = make_ticket(cast)
    waiting_since = ticket.waiting_since
    follow_up(ticket, letter=follow_up_letter())
    assert (ticket.waiting_since, ticket.status, ticket.message_count) == (waiting_since, Status.NEW, 2)


def test_spam_stays_spam_when_the_spammer_writes_again(cast: Cast) -> None:
    ticket = make_ticket(cast)
    mark_spam(ticket, by=cast.ann)
    follow_up(ticket, letter=follow_up_letter())
    assert (ticket.status, ticket.resolution, ticket.waiting_since) == (Status.CLOSED, Resolution.SPAM, None)


def test_a_spam_ticket_sends_no_receipt(cast: Cast) -> None:
    ticket = make_ticket(cast, spam_reason="too many links")
    assert (ticket.is_spam, event_kinds(ticket), outbox()) == (True, ["opened", "marked_spam"], [])


def test_a_blocked_reader_is_filed_as_spam(cast: Cast) -> None:
    make_ticket(cast).reader.blocked_at = clock.now()
    db.session.commit()
    assert make_ticket(cast, body="Again").is_spam


def test_a_blocked_readers_follow_up_files_the_ticket_as_spam(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="No.", by=cast.ann, then=Then.WAIT)
    ticket.reader.blocked_at = clock.now()
    db.session.commit()
    follow_up(ticket, letter=follow_up_letter("But listen"))
    assert (ticket.is_spam, ticket.waiting_since, ticket.messages[-1].body_text) == (True, None, "But listen")
    assert ticket.events[-1].sentence == "filed this as spam: the reader is blocked"


def test_somebody_blocked_who_has_the_address_of_a_thread_wakes_nobody_in_it(cast: Cast) -> None:
    ticket, other = make_ticket(cast), make_ticket(cast, address="troll@example.com", body="Ha")
    reply(ticket, body="Thank you.", by=cast.ann, then=Then.WAIT)
    other.reader.blocked_at = clock.now()
    db.session.commit()
    follow_up(ticket, letter=follow_up_letter("Ha", from_address="troll@example.com"))
    assert (ticket.status, ticket.waiting_since, ticket.is_spam) == (Status.PENDING, None, False)
    assert (ticket.messages[-1].body_text, event_kinds(ticket)[-1]) == ("Ha", "followed_up")


def test_a_note_changes_no_status_and_sends_nothing(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    sent = len(outbox())
    note = add_note(ticket, body="She rang as well.", by=cast.eve)
    assert (ticket.status, note.kind, ticket.message_count) == (Status.PENDING, MessageKind.NOTE, 2)
    assert (event_kinds(ticket)[-1], len(outbox())) == ("noted", sent)


def test_a_reply_is_held_when_something_new_arrived(cast: Cast) -> None:
    ticket = make_ticket(cast)
    seen = newest_public_id(ticket)
    follow_up(ticket, letter=follow_up_letter())
    events, sent = event_kinds(ticket), len(outbox())
    with pytest.raises(Conflict):
        reply(ticket, body="Too late", by=cast.ann, seen=seen)
    assert (event_kinds(ticket), len(outbox()), ticket.status) == (events, sent, Status.NEW)
    reply(ticket, body="Now with both", by=cast.ann, seen=newest_public_id(ticket))


@pytest.mark.parametrize("body", ["", "  \n ", "Dear {reader_name}, thanks"])
def test_a_reply_without_words_or_with_an_open_placeholder_is_refused(cast: Cast, body: str) -> None:
    ticket = make_ticket(cast)
    with pytest.raises(Invalid):
        reply(ticket, body=body, by=cast.ann)
    assert (ticket.message_count, len(outbox())) == (1, 1)


def test_sending_uses_up_the_draft_and_its_files(cast: Cast) -> None:
    ticket = make_ticket(cast)
    save_draft(ticket, kind=DraftKind.REPLY, body="Half a", by=cast.ann, stored=[store("plan.txt", b"a plan")])
    message = reply(ticket, body="Half a sentence, finished.", by=cast.ann)
    assert find_draft(ticket, kind=DraftKind.REPLY, by=cast.ann) is None
    assert [file.name for file in message.attachments] == ["plan.txt"]
    assert [file["name"] for file in outbox()[-1].files] == ["plan.txt"]


def test_an_operation_that_fails_leaves_nothing_behind(cast: Cast) -> None:
    ticket = make_ticket(cast)
    with pytest.raises(Invalid, match="mail header"):
        reply_with_bad_sender(ticket, cast)
    assert (ticket.message_count, event_kinds(ticket), ticket.status) == (1, ["opened"], Status.NEW)


def reply_with_bad_sender(ticket: Ticket, cast: Cast) -> None:
    """The queue's own address is broken: the mail cannot be built inside the verb."""
    cast.queue.intake_address = "support\r\nBcc: eve@example.org"
    db.session.commit()
    reply(ticket, body="Hello", by=cast.ann)


def test_a_mail_without_address_opens_an_anonymous_ticket(cast: Cast) -> None:
    ticket = open_ticket(cast.site, queue=cast.queue, letter=Letter(body_text="?"), origin=Origin.EMAIL)
    assert (ticket.reader, ticket.subject, outbox()) == (None, "?", [])
