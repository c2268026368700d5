"""A word of thanks can leave a closed ticket closed, when the site wants it; every doubt opens it again."""

import pytest
from flask import Flask

from helpdesk.database import db
from helpdesk.sites.operations import change_site
from helpdesk.tickets.models import Resolution, Status, Then, Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.replying import reply
from helpdesk.tickets.thanks import says_only_thanks
from helpdesk.uploads import store
from tests.cast import Cast
from tests.factories import event_kinds, follow_up_letter, make_ticket

THANKS = [
    ("en", "Thanks!"), ("en", "Thank you so much for your quick reply.\n\nBest regards,\nRuth"), ("en", "thx 👍"),
    ("en", "Great, thanks Ann!"), ("en-GB", "Many thanks :-)"), ("de", "Vielen herzlichen Dank für die schnelle Antwort!"),
    ("de-AT", "Danke, alles super.\nLiebe Grüße\nRuth"), ("de", "Thanks a lot"), ("fr", "Merci beaucoup, et bonne journée !"),
    ("es", "Muchas gracias por su ayuda."), ("it", "Grazie mille"), ("pt", "Muito obrigada!"), ("nl", "Hartelijk bedankt"),
    ("sv", "Tack så mycket"), ("da", "Mange tak"), ("nb", "Tusen takk"), ("fi", "Kiitos paljon"), ("pl", "Dziękuję bardzo"),
    ("cs", "Děkuji moc"), ("ru", "Большое спасибо"), ("zh", "谢谢您\uff01"), ("ja", "ありがとうございます。"), ("xx", "Thank you"),
]  # fmt: skip
MORE_THAN_THANKS = [
    ("en", ""), ("en", "   \n"), ("en", "Hello Ann"), ("en", "Thanks, but it is still wrong."), ("en", "Thanks?"),
    ("en", "Thanks. When?"), ("en", "Thank you for nothing."), ("en", "No thanks"), ("en", "Thanks, call 5551234"),
    ("en", "Thanks, see www.example.com"), ("en", "Thanks, see example.com/a"), ("en", "Thanks: ruth@example.com"),
    ("en", "Thanks :-("), ("en", "Thanks 😡"), ("en", "Thanks ①"), ("en", "thanks " * 15), ("en", "T" * 200),
    ("en", "Danke"), ("de", "Gracias"), ("de", "Danke, aber das stimmt nicht."), ("ja", "ありがとう\uff1f"),
    ("en", "Thanks <b>you</b>"), ("en", "thanks; rm"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), THANKS)
def test_thanks_are_known_in_the_languages_of_the_desk(language: str, text: str) -> None:
    assert says_only_thanks(text, language=language, names=("Ruth Reed", "Ann Archer"))


@pytest.mark.parametrize(("language", "text"), MORE_THAN_THANKS)
def test_whatever_says_more_than_thanks_is_more(language: str, text: str) -> None:
    assert not says_only_thanks(text, language=language, names=("Ruth Reed", "Ann Archer"))


def test_thanks_open_a_closed_ticket_unless_the_site_says_otherwise(cast: Cast) -> None:
    ticket = closed(cast)
    follow_up(ticket, letter=follow_up_letter("Thank you!"))
    assert (ticket.status, event_kinds(ticket)[-2:]) == (Status.OPEN, ["followed_up", "reopened"])


def test_thanks_leave_a_closed_ticket_closed_and_are_told(cast: Cast) -> None:
    change_site(cast.site, files_thanks=True)
    ticket = closed(cast)
    message = follow_up(ticket, letter=follow_up_letter("Thank you, Ann!", signature="--\nRuth"))
    assert (ticket.status, ticket.resolution, ticket.waiting_since) == (Status.CLOSED, Resolution.ANSWERED, None)
    assert (ticket.message_count, ticket.preview, message.ticket) == (3, "Thank you, Ann!", ticket)
    assert (event_kinds(ticket)[-1], ticket.events[-1].actor, ticket.events[-1].sentence) == (
        "thanked", "Ruth Reed", "only said thank you, so the ticket stays closed",
    )  # fmt: skip


@pytest.mark.parametrize("doubt", ["a question", "a file", "another address", "not closed", "spam"])
def test_any_doubt_takes_the_usual_way(app: Flask, cast: Cast, doubt: str) -> None:
    change_site(cast.site, files_thanks=True)
    ticket = closed(cast, then=Then.WAIT if doubt == "not closed" else Then.CLOSE)
    if doubt == "spam":
        ticket.resolution = Resolution.SPAM
        db.session.commit()
    letter = {
        "a question": lambda: follow_up_letter("Thank you! And the photo?"),
        "a file": lambda: follow_up_letter("Thank you!", files=(store("a.txt", b"a"),)),
        "another address": lambda: follow_up_letter("Thank you!", from_address="tom@example.com"),
    }.get(doubt, lambda: follow_up_letter("Thank you!"))()
    follow_up(ticket, letter=letter)
    if doubt == "spam":
        assert (ticket.resolution, "thanked" in event_kinds(ticket)) == (Resolution.SPAM, False)
    else:
        assert (ticket.status, "thanked" in event_kinds(ticket)) == (Status.OPEN, False)


def closed(cast: Cast, *, then: Then = Then.CLOSE) -> Ticket:
    """Ruth's ticket, answered by Ann."""
    ticket = make_ticket(cast)
    reply(ticket, body="We have corrected it.", by=cast.ann, then=then)
    return ticket
