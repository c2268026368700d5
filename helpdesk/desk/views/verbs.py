"""What staff do to a ticket without words: each a POST, each back to the ticket with one sentence."""

from collections.abc import Callable
from functools import partial, wraps
from typing import TypeVar

from flask import flash, g, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.agents.models import AfterSend, Agent
from helpdesk.database import db
from helpdesk.desk import blueprint
from helpdesk.desk.composing import back_to, where_next
from helpdesk.desk.forms import (
    AssignForm,
    CloseForm,
    PriorityForm,
    QueueForm,
    ReaderForm,
    TagForm,
    TopicForm,
    first_error,
)
from helpdesk.desk.pages import ticket_page
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid, NotFound
from helpdesk.sites.models import Priority, Queue, Topic
from helpdesk.tickets import triage
from helpdesk.tickets.acts import in_one_act
from helpdesk.tickets.forwarding import name_reader
from helpdesk.tickets.models import Resolution, Ticket
from helpdesk.tickets.queries import get_ticket

Noun = TypeVar("Noun", Agent, Topic, Queue)
Answer = Response | tuple[str, int]


def verb(name: str, capability: str) -> Callable[[Callable[[Ticket], str]], Callable[[int], Answer]]:
    """Make a POST of a function that does one thing to a visible ticket and returns the sentence to show.

    It leads back to the ticket; with `?next=1` in its address to the next one of the list it was opened from.
    """

    def make(act: Callable[[Ticket], str]) -> Callable[[int], Answer]:
        @wraps(act)
        def view(number: int) -> Answer:
            ticket = get_ticket(number, g.agent)
            go_on = where_next(ticket, AfterSend.NEXT) if "next" in request.args else partial(back_to, number)
            try:
                with in_one_act() as done:
                    flash(act(ticket), done)
            except NotFound:
                raise
            except HelpdeskError as error:
                return ticket_page(number, problem=error.message), error.status
            return go_on()

        path = f"/tickets/<{ID}:number>/{name.replace('_', '-')}"
        return blueprint.post(path, endpoint=name)(require(capability)(view))

    return make


@verb("take", "tickets.assign")
def take(ticket: Ticket) -> str:
    """Make it mine."""
    triage.take(ticket, by=g.agent)
    return "The ticket is yours."


@verb("assign", "tickets.assign")
def assign(ticket: Ticket) -> str:
    """Give it to somebody, or back to nobody."""
    form = valid(AssignForm())
    assignee = _chosen(Agent, form.assignee.data)
    triage.assign(ticket, assignee=assignee, by=g.agent)
    return f"The ticket is with {assignee.name} now." if assignee else "The ticket is with nobody now."


@verb("close", "tickets.close")
def close(ticket: Ticket) -> str:
    """Nothing more is to be done."""
    triage.close(ticket, resolution=Resolution(valid(CloseForm()).resolution.data), by=g.agent)
    return "The ticket is closed."


@verb("reopen", "tickets.close")
def reopen(ticket: Ticket) -> str:
    """There is more to do."""
    triage.reopen(ticket, by=g.agent)
    return "The ticket is open again."


@verb("spam", "tickets.triage")
def spam(ticket: Ticket) -> str:
    """File it as spam."""
    triage.mark_spam(ticket, by=g.agent)
    return "Filed as spam. Nothing was deleted."


@verb("unspam", "tickets.triage")
def unspam(ticket: Ticket) -> str:
    """It was no spam."""
    triage.unmark_spam(ticket, by=g.agent)
    return "The ticket is back where readers wait."


@verb("topic", "tickets.triage")
def topic(ticket: Ticket) -> str:
    """Say what it is about."""
    triage.set_topic(ticket, topic=_chosen(Topic, valid(TopicForm()).topic.data), by=g.agent)
    return "The topic is set."


@verb("priority", "tickets.triage")
def priority(ticket: Ticket) -> str:
    """Say how soon it wants somebody."""
    triage.set_priority(ticket, priority=Priority(valid(PriorityForm()).priority.data), by=g.agent)
    return "The priority is set."


@verb("queue", "tickets.triage")
def queue(ticket: Ticket) -> str:
    """Let it wait elsewhere."""
    chosen = _chosen(Queue, valid(QueueForm()).queue.data)
    if chosen is None:
        raise Invalid("Choose a queue.")
    triage.move(ticket, queue=chosen, by=g.agent)
    return f"The ticket waits in {chosen.name} now."


@verb("tag", "tickets.triage")
def tag(ticket: Ticket) -> str:
    """Put a tag on it."""
    triage.add_tag(ticket, name=valid(TagForm()).name.data, by=g.agent)
    return "The tag is on."


@verb("untag", "tickets.triage")
def untag(ticket: Ticket) -> str:
    """Take a tag off."""
    triage.remove_tag(ticket, name=valid(TagForm()).name.data, by=g.agent)
    return "The tag is off."


@verb("name", "tickets.triage")
def name(ticket: Ticket) -> str:
    """Say whose concern it is."""
    form = valid(ReaderForm())
    name_reader(ticket, address=form.address.data, name=form.name.data, by=g.agent)
    return "The reader is named. Replies go there from now on."


def valid(form: FlaskForm) -> FlaskForm:
    """The form, when it is filled in well. Raises Invalid with the first thing that is wrong."""
    if not form.validate():
        raise Invalid(first_error(form))
    return form


def _chosen(noun: type[Noun], number: int | None) -> Noun | None:
    """What was chosen from a list, None for its empty line; Invalid when it is gone."""
    if number is None:
        return None
    row = db.session.get(noun, number) if 0 < number < 2**31 else None
    if row is None:
        raise Invalid("That choice is gone. Choose another one.")
    return row
