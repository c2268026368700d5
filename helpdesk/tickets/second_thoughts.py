"""What makes one think twice before a reply leaves: nothing is forbidden, it is only asked about."""

import re

from helpdesk.agents.models import Agent
from helpdesk.errors import Doubtful
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queries import find_draft
from helpdesk.tickets.words import words_in

NO_FILE = "you write of something attached, but there is no file"
BLOCKED = "this reader is blocked"
_ATTACHED = frozenset({
    "attached", "attachment", "attachments", "enclosed", "anhang", "anlage", "angehangt", "angehangte", "beigefugt",
    "beigefugte", "beiliegend", "adjunto", "adjunta", "adjuntos", "joint", "jointe", "jointes", "allegato",
    "allegati", "allega", "bijlage", "bijlagen", "bijgevoegd", "anexo", "anexado", "bifogad", "bifogat", "bifogar",
    "vedlagt", "vedhæftet", "vedlegg", "zalaczniku", "zalaczam", "liite", "liitteena", "priloze", "prilozeno",
    "melleklet",
})  # fmt: skip
_QUOTED = re.compile(r"^>.*$", re.MULTILINE)


def refuse_doubtful(ticket: Ticket, *, body: str, has_files: bool, by: Agent) -> None:
    """Raise Doubtful with what an agent may have overlooked in the reply that he is about to send, if anything."""
    draft = find_draft(ticket, kind=DraftKind.REPLY, by=by)
    lacks_file = not has_files and not (draft and draft.attachments) and names_a_file(body)
    is_blocked = ticket.reader is not None and ticket.reader.blocked_at is not None
    doubts = [doubt for doubt, is_meant in ((NO_FILE, lacks_file), (BLOCKED, is_blocked)) if is_meant]
    if doubts:
        raise Doubtful(", and ".join(doubts))


def names_a_file(body: str) -> bool:
    """True when the own words of a text speak of something attached, in the languages we know the word in."""
    return not _ATTACHED.isdisjoint(words_in(_QUOTED.sub("", body)))
