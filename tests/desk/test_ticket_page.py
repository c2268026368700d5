"""A ticket's page: what was said, what was done, what stands around it."""

import re

import pytest

from helpdesk.database import db
from helpdesk.headers import FILE_CSP
from helpdesk.inbound.operations import process, receive
from helpdesk.outbound import rendering
from helpdesk.outbound.models import DeliveryState
from helpdesk.sites.forward_addresses import forward_address
from helpdesk.sites.models import Priority
from helpdesk.tickets import triage
from helpdesk.tickets.models import Then, Ticket
from helpdesk.tickets.operations import Letter, file_automatic, follow_up
from helpdesk.tickets.replying import add_note, reply
from helpdesk.uploads import store
from tests.cast import RUTH, Cast
from tests.desk.conftest import Desk, counted
from tests.desk.reading import numbers_in, text_of, values_of
from tests.factories import follow_up_letter, make_ticket
from tests.letters import put

HTML = '<p>Hello <b>desk</b></p><script>alert(1)</script><img src="https://tracker.example.com/x.png">'


def path_of(ticket: Ticket) -> str:
    """The address of its page."""
    return f"/desk/tickets/{ticket.number}"


def test_the_article_comes_first_then_the_reader_then_the_facts(ann: Desk, ticket: Ticket) -> None:
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "aside h2") == ["2026/harbour-bridge", "Ruth Reed", "Facts"]
    assert text_of(page, "p.about") == ["2026/harbour-bridge"]


def test_other_tickets_about_the_article_and_of_the_reader_are_beside_it(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    make_ticket(cast, subject="Also the bridge", address="ben@example.com", name="Ben")
    make_ticket(cast, subject="Another matter", article_url=None)
    make_ticket(cast, subject="Hidden", queue=cast.legal)
    panels = text_of(ann.get(path_of(ticket)).text, "ul.others")
    assert panels == ["Also the bridge new now", "Another matter new now"]


def test_messages_and_history_stand_in_one_order(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    add_note(ticket, body="She is right.", by=cast.eve)
    triage.set_priority(ticket, priority=Priority.HIGH, by=cast.eve)
    reply(ticket, body="Thank you.", by=cast.ann, then=Then.WAIT)
    follow_up(ticket, letter=follow_up_letter())
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "article h3") == ["Ruth Reed", "Eve Ellis", "Ann Archer", "Ruth Reed"]
    assert text_of(page, "ul.history") == [
        "Ruth Reed opened this ticket and got a receipt · now",
        "Eve Ellis set the priority to high · now",
        "Ann Archer took the ticket · now",
    ]


def test_a_number_in_the_subject_of_a_mail_is_a_hint_with_a_link(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    other = make_ticket(cast, subject=f"As in #{ticket.number}", maybe=ticket.number, wants_answer=False)
    page = ann.get(path_of(other)).text
    assert text_of(page, "ul.history") == [f"Ruth Reed opened this ticket; it may belong to #{ticket.number} · now"]
    assert f'it may belong to <a href="{path_of(ticket)}">#{ticket.number}</a>' in page


def test_much_history_is_folded(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    for name in ("a", "b", "c"):
        triage.add_tag(ticket, name=name, by=cast.eve)
    assert text_of(ann.get(path_of(ticket)).text, "details.history summary") == ["4 changes, the last by Eve Ellis"]


def test_a_note_says_that_only_staff_see_it(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    add_note(ticket, body="She is right.", by=cast.eve)
    assert text_of(ann.get(path_of(ticket)).text, "article.is-note p")[0] == "Note, only staff see this"


def test_signature_and_quote_are_folded_and_never_lost(ann: Desk, ticket: Ticket) -> None:
    follow_up(ticket, letter=follow_up_letter(signature="Ruth, reader", quoted_text="You wrote this"))
    folds = text_of(ann.get(path_of(ticket)).text, "details.fold")
    assert folds == ["Signature Ruth, reader", "Earlier mail, quoted You wrote this"]


def test_automatic_mail_is_a_grey_line(ann: Desk, ticket: Ticket) -> None:
    file_automatic(ticket, letter=follow_up_letter("I am away until Monday."))
    lines = text_of(ann.get(path_of(ticket)).text, "details.automatic")
    assert lines == ["Automatic answer from Ruth Reed · now I am away until Monday."]


def test_class_19_another_address_is_flagged(ann: Desk, ticket: Ticket) -> None:
    follow_up(ticket, letter=follow_up_letter(from_address="mallory@example.com", from_name="Ruth Reed"))
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "article p span.chip") == ["another address"]
    assert text_of(page, "p.to b") == [RUTH]


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        (DeliveryState.QUEUED, None, "Waiting to be sent to ruth@example.com"),
        (DeliveryState.SENDING, None, "Being sent to ruth@example.com"),
        (DeliveryState.SENT, None, "Sent"),
        (DeliveryState.FAILED, "554 no", "Not delivered to ruth@example.com: 554 no"),
        (DeliveryState.BOUNCED, "550 full", "Came back to ruth@example.com: 550 full"),
        (DeliveryState.UNKNOWN, None, "The mail server never confirmed it to ruth@example.com"),
    ],
)
def test_a_reply_says_how_far_its_mail_has_come(
    ann: Desk, cast: Cast, ticket: Ticket, state: DeliveryState, error: str | None, words: str
) -> None:
    recipient = reply(ticket, body="Thank you.", by=cast.ann).outbound_email.recipients[0]  # type: ignore[union-attr]
    recipient.state, recipient.error = state, error
    db.session.commit()
    assert text_of(ann.get(path_of(ticket)).text, "p.delivery span") == [words]


def test_whoever_may_reply_sends_a_failed_mail_again_from_its_ticket(
    ann: Desk, sam: Desk, cast: Cast, ticket: Ticket
) -> None:
    recipient = reply(ticket, body="Thank you.", by=cast.ann).outbound_email.recipients[0]  # type: ignore[union-attr]
    recipient.state = DeliveryState.FAILED
    db.session.commit()
    assert text_of(ann.get(path_of(ticket)).text, "p.delivery button") == ["Retry"]
    assert (sam.post(f"/desk/mail/out/{recipient.id}/retry").status_code, recipient.state) == (
        404,
        DeliveryState.FAILED,
    )
    answer = ann.post(f"/desk/mail/out/{recipient.id}/retry", number=ticket.number)
    assert (answer.status_code, answer.location, recipient.state) == (303, path_of(ticket), DeliveryState.QUEUED)
    assert (ticket.events[-1].kind.value, ticket.events[-1].by_agent) == ("send_retried", cast.ann)


def test_class_50_a_mail_about_an_account_is_sent_again_by_those_who_look_after_mail(ann: Desk, eve: Desk) -> None:
    recipient = put(thread_token=None).recipients[0]
    recipient.state = DeliveryState.FAILED
    db.session.commit()
    answers = [desk.post(f"/desk/mail/out/{recipient.id}/retry").status_code for desk in (ann, eve)]
    assert (answers, recipient.state) == ([404, 303], DeliveryState.QUEUED)


def test_formatted_mail_is_shown_in_a_frame_that_may_do_nothing(ann: Desk, ticket: Ticket) -> None:
    message = follow_up(ticket, letter=follow_up_letter(body_html=HTML))
    page = ann.get(path_of(ticket)).text
    assert (
        f'<iframe sandbox="" loading="lazy" title="The mail as it was formatted" src="/desk/messages/{message.id}/html">'
        in page
    )
    frame = ann.get(f"/desk/messages/{message.id}/html")
    policy = frame.headers["Content-Security-Policy"]
    assert ("sandbox" in policy, "script-src" in policy, "img-src data:" in policy) == (True, False, True)
    assert ("<b>desk</b>" in frame.text, "alert(1)" in frame.text, "tracker" in frame.text) == (True, False, False)


def test_a_picture_that_came_with_a_mail_is_drawn_from_the_mail(ann: Desk, ticket: Ticket) -> None:
    picture = store("plaque.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 8, content_id="plaque@example.com")
    letter = follow_up_letter(body_html='<img src="cid:plaque@example.com"><img src="cid:other">', files=(picture,))
    message = follow_up(ticket, letter=letter)
    frame = ann.get(f"/desk/messages/{message.id}/html").text
    assert re.findall(r'src="([^"]*)"', frame) == ["data:image/png;base64,iVBORw0KGgoAAAAAAAAAAA==", ""]


def test_a_message_without_format_has_no_frame(ann: Desk, ticket: Ticket) -> None:
    assert ann.get(f"/desk/messages/{ticket.messages[0].id}/html").status_code == 404


def test_the_source_of_a_mail_is_one_click_away_for_whoever_sees_its_ticket(ann: Desk, sam: Desk) -> None:
    raw = b"From: Ruth <ruth@example.com>\r\nTo: support@example.org\r\nSubject: Hi\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n"
    email = process(receive(raw).id)
    path = path_of(email.became.ticket)  # type: ignore[union-attr]
    links = [f"/desk/mail/{email.id}/view", f"/desk/mail/{email.id}/raw"]
    assert re.findall(r'<a class="raw" href="([^"]*)"', ann.get(path).text) == links
    shown, saved = (ann.get(link) for link in links)
    assert (values_of(shown.text, "source") or text_of(shown.text, "textarea"))[0].startswith("From: Ruth <ruth@exa")
    assert text_of(shown.text, "p.quiet-line a") == ["#1"]
    assert (saved.data, saved.mimetype, saved.headers["Content-Disposition"].split(";")[0]) == (
        raw,
        "application/octet-stream",
        "attachment",
    )
    assert (saved.headers["X-Content-Type-Options"], saved.headers["Content-Security-Policy"]) == ("nosniff", FILE_CSP)
    assert [sam.get(link).status_code for link in links] == [404, 404]


def test_class_17_a_colleagues_private_address_is_not_read_from_the_source_of_a_mail(
    ann: Desk, eve: Desk, cast: Cast
) -> None:
    for owner, status in ((cast.carla, 403), (cast.ann, 200)):
        address = forward_address(owner, cast.queue)
        raw = f"From: {owner.email}\r\nTo: {address.upper()}\r\nSubject: Fwd: Hi\r\nMessage-ID: <{owner.id}@x.org>\r\n\r\nA note\r\n"
        email = process(receive(raw.encode()).id)
        assert email.became is not None
        for link in (f"/desk/mail/{email.id}/view", f"/desk/mail/{email.id}/raw"):
            assert (ann.get(link).status_code, eve.get(link).status_code) == (status, 200)


def test_class_50_a_mail_that_became_nothing_is_for_those_who_look_after_mail(ann: Desk, eve: Desk) -> None:
    email = process(receive(b"From: support@example.org\r\nTo: support@example.org\r\n\r\nOurs\r\n").id)
    assert email.became is None
    for link in (f"/desk/mail/{email.id}/view", f"/desk/mail/{email.id}/raw"):
        assert (ann.get(link).status_code, eve.get(link).status_code) == (404, 200)


def test_class_22_a_ticket_says_why_nothing_proves_who_wrote_it(ann: Desk) -> None:
    email = process(receive(b"Received: by x\r\n\r\nFrom: ruth@example.com\r\nSubject: Hi\r\n\r\nHello\r\n").id)
    page = ann.get(path_of(email.became.ticket)).text  # type: ignore[union-attr]
    assert [line for line in text_of(page, "div.who p") if "prove" in line] == [
        "ruth@example.com sender not proven",
        "Nothing proves its sender: its sender stands below a break in its headers, where no mail server looks.",
    ]


def test_class_3_and_6_files_are_always_downloads(ann: Desk, ticket: Ticket) -> None:
    pages = (
        store("page.html", b"<script>alert(1)</script>"),
        store("bild.svg", b"<svg onload='alert(1)'/>"),
        store("plän.pdf", b"%PDF-1.4 "),
    )
    follow_up(ticket, letter=follow_up_letter(files=pages))
    links = re.findall(r'href="(/desk/files/[^"]+)"', ann.get(path_of(ticket)).text)
    answers = [ann.get(link) for link in links]
    assert [answer.mimetype for answer in answers] == [
        "application/octet-stream",
        "application/octet-stream",
        "application/pdf",
    ]
    assert {answer.headers["Content-Disposition"].split(";")[0] for answer in answers} == {"attachment"}
    assert answers[2].headers["Content-Disposition"].endswith("filename*=UTF-8''pl%C3%A4n.pdf")
    assert {(a.headers["X-Content-Type-Options"], a.headers["Content-Security-Policy"]) for a in answers} == {
        ("nosniff", FILE_CSP)
    }


def test_the_list_it_was_opened_from_stays_beside_it(ann: Desk, cast: Cast) -> None:
    first, second, third = (make_ticket(cast, body=f"Number {n}") for n in range(3))
    page = ann.get(f"{path_of(second)}?in=unassigned").text
    assert numbers_in(page) == [first.number, second.number, third.number]
    assert re.findall(r'data-(?:previous|next) href="([^"]+)"', page) == [
        "/desk/tickets/1?in=unassigned",
        "/desk/tickets/3?in=unassigned",
    ]
    assert numbers_in(ann.get(path_of(second)).text) == []


def test_news_of_a_ticket_counts_public_messages_after_the_last_one_seen(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    (seen,) = values_of(ann.get(path_of(ticket)).text, "seen")
    add_note(ticket, body="A note is no news.", by=cast.eve)
    assert ann.get(f"{path_of(ticket)}/news?seen={seen}").json == {"new": 0}
    follow_up(ticket, letter=follow_up_letter())
    assert ann.get(f"{path_of(ticket)}/news?seen={seen}").json == {"new": 1}


def test_a_page_takes_eight_statements_whatever_its_length(eve: Desk, cast: Cast) -> None:
    short, long = (make_ticket(cast, body=f"Number {n}") for n in range(2))
    for ticket, rounds in ((short, 1), (long, 19)):
        triage.add_tag(ticket, name="bridge", by=cast.ann)
        for n in range(rounds):
            follow_up(ticket, letter=follow_up_letter(f"Follow-up {n}", files=(store("a.txt", b"text"),)))
            reply(ticket, body=f"Reply {n}", by=cast.ann)
            add_note(ticket, body=f"Note {n}", by=cast.eve)
    assert (statements_of(eve, short), statements_of(eve, long)) == (8, 8)


def statements_of(desk: Desk, ticket: Ticket) -> int:
    """How many statements its page takes, with its list beside it."""
    path = f"{path_of(ticket)}?in=open"
    with counted() as statements:
        assert desk.get(path).status_code == 200
    return len(statements)


def test_an_anonymous_ticket_says_that_nobody_can_be_answered(ann: Desk, cast: Cast) -> None:
    ticket = make_ticket(cast, address="", name="")
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "p.notice") == [
        "This reader left no address, so a reply cannot reach anybody. "
        "Name the reader in the details if you know who it is; else keep a note and close the ticket."
    ]
    assert "reply-form" not in page


def test_class_12_a_note_is_in_no_mail_and_on_no_page_of_the_reader(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    from helpdesk.tickets.links import status_path
    from tests.factories import outbox

    ann.post(f"{path_of(ticket)}/note", body="CANARY")
    ann.post(f"{path_of(ticket)}/reply", body="Thank you.", then="send", seen=str(ticket.messages[0].id))
    told = [rendering.text_of(mail) + rendering.html_of(mail) + mail.subject for mail in outbox()] + [
        ann.get(status_path(ticket)).text
    ]
    assert (len(told), [text for text in told if "CANARY" in text]) == (3, [])


PAYLOAD = "<img src=x onerror=alert(1)>"


def test_class_2_and_5_words_from_outside_are_only_words(ann: Desk, eve: Desk, cast: Cast) -> None:
    letter = Letter(body_text=PAYLOAD, from_address=RUTH, from_name=PAYLOAD, files=(store(PAYLOAD + ".txt", b"x"),))
    ticket = make_ticket(cast, letter=letter, subject=PAYLOAD)
    triage.add_tag(ticket, name=PAYLOAD, by=cast.ann)
    ticket.article.title = PAYLOAD  # type: ignore[union-attr]
    db.session.commit()
    eve.post("/desk/canned-replies/new", site=cast.site.id, name=PAYLOAD, body=PAYLOAD)
    pages = ["/desk/unassigned", path_of(ticket), f"{path_of(ticket)}?in=open", f"/desk/readers/{ticket.reader_id}",
             f"/desk/articles/{ticket.article_id}", f"/desk/search?q={PAYLOAD}", "/desk/canned-replies", "/desk/canned-replies/1"]  # fmt: skip
    shown = {path: eve.get(path) for path in pages}
    assert {path: answer.status_code for path, answer in shown.items()} == dict.fromkeys(pages, 200)
    assert [path for path, answer in shown.items() if "<img" in answer.text] == []
    assert text_of(shown[path_of(ticket)].text, "h1") == [PAYLOAD]


def test_a_picture_in_a_reply_or_note_is_shown_in_its_place(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
    reply(ticket, body="Look: ![](plaque.png)", by=cast.ann, files=(store("plaque.png", png),))
    add_note(ticket, body="![old](old.png) ![](other.png)", by=cast.eve, files=(store("old.png", png),))
    follow_up(ticket, letter=follow_up_letter("![mine](mine.png)", files=(store("mine.png", png),)))
    pictures = re.findall(
        r'<img class="picture" loading="lazy" src="([^"]+)" alt="([^"]*)">', ann.get(path_of(ticket)).text
    )
    assert [alt for _, alt in pictures] == ["plaque.png", "old"]
    answers = [ann.get(address) for address, _ in pictures]
    assert [(answer.status_code, answer.mimetype, answer.data) for answer in answers] == [(200, "image/png", png)] * 2
