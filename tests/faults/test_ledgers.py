"""The ledgers see what is lost, doubled, stuck or left lying, each by its name."""

from flask import Flask

from helpdesk import files
from helpdesk.database import db
from helpdesk.inbound.operations import process_received, receive
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.factories import make_ticket
from tests.faults.ledgers import Kind, sent_again, sorted_complaints
from tests.letters import letter, use_server
from tests.servers.smtp import SmtpServer


def test_nothing_is_wrong_where_all_is_well(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    everything_is_done(app, cast, smtp)
    assert found(smtp) == []


def test_what_nobody_kept_is_lost(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    everything_is_done(app, cast, smtp)
    assert found(smtp, taken=["mark-1-", "mark-9-"]) == [Kind.LOST]
    assert found(smtp, replied=["mark-2-", "mark-9-"]) == [Kind.LOST, Kind.LOST]


def test_what_stands_in_two_messages_is_doubled(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    everything_is_done(app, cast, smtp)
    receive(letter(body="mark-1- It opened in 1932, I said.\r\n"))
    process_received()
    deliver_due("one")
    assert found(smtp) == [Kind.DOUBLED]


def test_a_mail_that_left_twice_is_counted(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    everything_is_done(app, cast, smtp)
    smtp.mails.append(smtp.mails[-1])
    assert sent_again(smtp.mails) == 1
    assert found(smtp) == [Kind.SENT_AGAIN]
    assert found(smtp, twice=1) == []


def test_a_mail_that_never_left_and_one_that_is_never_read_are_stuck(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    everything_is_done(app, cast, smtp)
    receive(letter(body="mark-3- The photo too.\r\n", from_="rosa@example.com"))
    assert found(smtp) == [Kind.STUCK]
    process_received()
    assert found(smtp) == [Kind.STUCK, Kind.LOST]  # the receipt is queued, and not with the mail server


def test_bytes_without_a_row_and_rows_without_bytes_are_seen(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    everything_is_done(app, cast, smtp)
    email = receive(letter(body="mark-3- The photo too.\r\n", from_="MAILER-DAEMON@example.com"))
    process_received()
    db.session.rollback()
    files.delete(email.storage_key)
    assert Kind.LOST in found(smtp)


def everything_is_done(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    """A mail came in, and a reply left."""
    use_server(app, smtp)
    receive(letter(body="mark-1- It opened in 1932.\r\n"))
    process_received()
    reply(make_ticket(cast, wants_answer=False), body="mark-2- You are right.", by=cast.ann)
    deliver_due("one")


def found(
    smtp: SmtpServer, taken: list[str] | None = None, replied: list[str] | None = None, twice: int = 0
) -> list[Kind]:
    """What the ledgers complain about."""
    marks = taken or ["mark-1-"], replied or ["mark-2-"]
    return [kind for kind, _ in sorted_complaints(*marks, smtp.mails, twice)]
