"""What staff see: lists, tickets, mail, texts, accounts. Server-rendered, and whole without script."""

from flask import Blueprint

blueprint = Blueprint("desk", __name__, url_prefix="/desk")

from helpdesk.desk.views import (  # noqa: E402, F401 the views need the blueprint
    account,
    agents,
    canned_replies,
    drafts,
    files,
    lists,
    mail,
    news,
    participants,
    readers,
    replies,
    search,
    second_factor,
    setup,
    setup_queues,
    setup_sites,
    setup_tags,
    setup_topics,
    ticket,
    undo,
    verbs,
)
