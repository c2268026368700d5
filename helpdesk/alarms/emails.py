"""The mails of an alarm: that something stands still, and that it is over."""

from helpdesk.agents.emails import queue_mail_to
from helpdesk.agents.models import Agent
from helpdesk.alarms.models import Alarm
from helpdesk.alarms.words import WORDS
from helpdesk.config import settings
from helpdesk.inbound.troubles import thread_of
from helpdesk.outbound.models import OutboundEmail
from helpdesk.templating import moment, one_line
from helpdesk.tickets.emails import LOOP_HEADER, own_loop_value

TROUBLE, OVER = "emails/alarm", "emails/alarm_over"
PAGE = "/desk/mail"


def queue_alarm(alarm: Alarm, *, to: Agent) -> OutboundEmail:
    """Tell an admin what stands still, since when, why, and what to do."""
    words = WORDS[alarm.kind]
    context = {"remedy": words.remedy, "reason": alarm.reason.rstrip(". \n")}
    return _queue(alarm, to, template=TROUBLE, sentence=words.trouble, context=context, thread=thread_of(alarm.id))


def queue_end(alarm: Alarm, *, to: Agent) -> OutboundEmail:
    """Tell an admin who was told of a trouble that it is over."""
    until = moment(alarm.ended_at, to.timezone) if alarm.ended_at else ""
    over, thread = WORDS[alarm.kind].over, f"{thread_of(alarm.id)}:over"
    return _queue(alarm, to, template=OVER, sentence=over, context={"until": until}, thread=thread)


def _queue(
    alarm: Alarm, to: Agent, *, template: str, sentence: str, context: dict[str, str], thread: str
) -> OutboundEmail:
    sentence = one_line(sentence.format(name=alarm.name))
    known = {"sentence": sentence, "since": moment(alarm.began_at, to.timezone), "link": settings().link(PAGE)}
    return queue_mail_to(
        to,
        kind="alarm",
        template=template,
        subject=f"Helpdesk: {sentence[0].lower()}{sentence[1:]}",
        context=known | context,
        headers={LOOP_HEADER: own_loop_value()},
        thread_token=thread,
    )
