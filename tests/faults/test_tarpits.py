"""A mail server that never answers for one place, and a real worker that has other mail to send and to read."""

from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from tests.cast import Cast
from tests.faults.rig import Rig
from tests.faults.test_kills import all_of, everything_read
from tests.journeys.conftest import wait_until
from tests.letters import letter, put
from tests.servers.dovecot import Account
from tests.servers.smtp import STALL, SmtpServer


def test_l30_a_place_that_never_answers_holds_up_neither_other_mail_nor_what_comes_in(
    rig: Rig, cast: Cast, watched: Account, smtp: SmtpServer
) -> None:
    smtp.rcpt["tarpit.example"] = STALL
    for number in range(4):
        put(to=f"reader{number}@tarpit.example")
    for number in range(4):
        put(to=f"reader{number}@example.com")
    rig.start_worker()
    wait_until(lambda: len(smtp.mails) == 4)
    watched.deliver(letter(body="mark-1- It opened in 1932.\r\n"))
    wait_until(lambda: everything_read(1))
    assert {mail.recipients[0].partition("@")[2] for mail in smtp.mails[:4]} == {"example.com"}
    slow = [row.state for row in all_of(OutboundRecipient) if row.domain == "tarpit.example"]
    assert set(slow) <= {DeliveryState.QUEUED, DeliveryState.SENDING}
