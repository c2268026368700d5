"""Who besides the reader gets our replies: added and removed by one click, and only so."""

from flask import g, request

from helpdesk.desk.forms import DraftForm, ParticipantForm
from helpdesk.desk.views.drafts import save_writing
from helpdesk.desk.views.verbs import valid, verb
from helpdesk.errors import Invalid
from helpdesk.tickets import participation
from helpdesk.tickets.models import Ticket


@verb("add_participant", "tickets.reply")
def add_participant(ticket: Ticket) -> str:
    """Let somebody get our replies too."""
    wanted = valid(ParticipantForm()).address.data
    address = participation.add_participant(ticket, address=wanted, by=g.agent)
    return f"{address} gets a copy of each reply from now on."


@verb("remove_participant", "tickets.reply")
def remove_participant(ticket: Ticket) -> str:
    """Let somebody get no more of them; asked for from within a reply, what is written so far is kept."""
    address = valid(ParticipantForm()).address.data
    problems = save_writing(ticket, DraftForm()) if "body" in request.form else []
    participation.remove_participant(ticket, address=address, by=g.agent)
    if problems:
        raise Invalid(" ".join(problems))
    return f"{address} gets no more replies."
