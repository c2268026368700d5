"""The set-up: every page by which the desk is made fit for its publication, and what was changed lately."""

from dataclasses import dataclass

from flask import g

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.pages import desk_page
from helpdesk.tickets.setting_up import latest_set_up


@dataclass(frozen=True)
class Place:
    """A page of the set-up, for whoever has the capability."""

    endpoint: str
    name: str
    says: str
    icon: str
    capability: str


PLACES = (
    Place("desk.sites", "Publications", "Names, addresses, languages, the text beside the form", "globe", "setup.edit"),
    Place(
        "desk.queues", "Queues", "Where tickets wait, who works there, how replies are signed", "inboxes", "setup.edit"
    ),
    Place("desk.topics", "Topics", "What readers choose on the form, and where it leads", "list-ul", "setup.edit"),
    Place("desk.agents", "Staff", "Accounts, roles, sign-ins", "people", "agents.edit"),
    Place("desk.tags", "Tags", "Rename, merge, remove", "tags", "tags.edit"),
    Place("desk.canned_replies", "Canned replies", "Texts that are written once", "card-text", "canned_replies.edit"),
)


@blueprint.get("/setup")
@require("setup.read")
def setup() -> str:
    """The pages that this agent may use."""
    places = [place for place in PLACES if g.agent.can(place.capability)]
    changes = latest_set_up() if g.agent.can("setup.edit") else []
    return desk_page("setup/setup.html", places=places, changes=changes)
