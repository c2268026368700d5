"""Lists of tickets: the fixed ones, and those about an article."""

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk import clock
from helpdesk.access import require
from helpdesk.articles.models import Article
from helpdesk.database import db
from helpdesk.desk import blueprint
from helpdesk.desk.pages import desk_page
from helpdesk.errors import NotFound
from helpdesk.tickets.folders import Folder
from helpdesk.tickets.lists import Page, list_article, list_folder

FOLDER = f"<any({','.join(Folder)}):name>"
ID = "int(max=2147483647)"


@blueprint.get("/")
@require("tickets.read")
def home() -> Response:
    """Everybody begins where nobody has looked yet."""
    return redirect(url_for("desk.folder", name=Folder.UNASSIGNED.value), 303)


@blueprint.get(f"/{FOLDER}")
@require("tickets.read")
def folder(name: str) -> str:
    """One of the fixed lists, longest waiting first."""
    folder, since = Folder(name), clock.now()
    page = list_folder(folder, g.agent, after=request.args.get("after"))
    return desk_page("list.html", folder=folder, page=page, since=since)


@blueprint.get(f"/articles/<{ID}:article_id>")
@require("tickets.read")
def article(article_id: int) -> str:
    """All tickets about an article. One without a visible ticket is not there."""
    page = _not_empty(list_article(article_id, g.agent, after=request.args.get("after")))
    return desk_page("article.html", page=page, article=db.session.get(Article, article_id))


def _not_empty(page: Page) -> Page:
    if not page.tickets:
        raise NotFound
    return page
