"""A reader's own ticket, behind a link that nobody can guess: thanks, state, files, one more message."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from helpdesk.access import public
from helpdesk.articles.operations import article_address
from helpdesk.contact import blueprint
from helpdesk.contact.form_token import FormToken
from helpdesk.contact.forms import FollowUpForm
from helpdesk.contact.lookup import get_own_ticket
from helpdesk.contact.state import state_of
from helpdesk.contact.submission import Submission, keep_for_next_time, limits, problems, read_submission
from helpdesk.downloads import as_download
from helpdesk.errors import NoRoom, TooMany
from helpdesk.tickets.intake import receive_follow_up
from helpdesk.tickets.links import status_path
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.operations import Letter
from helpdesk.tickets.queries import get_public_attachment, public_messages_of


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Status links stay out of search engines and of the Referer header."""
    if request.path.startswith("/ticket/"):
        response.headers["X-Robots-Tag"] = "noindex"
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/ticket/<token>/thanks")
@public
def show_thanks(token: str) -> str:
    """We have it: the number, what happens next, and the message as sent."""
    ticket = get_own_ticket(token)
    message = public_messages_of(ticket)[0]
    link = status_path(ticket)
    return render_template(
        "contact/thanks.html",
        site=ticket.site, ticket=ticket, message=message, link=link, article=_article_of(ticket),
    )  # fmt: skip


@blueprint.get("/ticket/<token>")
@public
def show_ticket(token: str) -> str:
    """Where the message stands, what was written so far, and room for more."""
    ticket = get_own_ticket(token)
    return _page(ticket, FollowUpForm(), FormToken(ticket.site_id))


@blueprint.get("/ticket/<token>/message")
@public
def return_to_ticket(token: str) -> Response:
    """Somebody opened the address that a refused message was sent to."""
    return redirect(status_path(get_own_ticket(token)), 303)


@blueprint.post("/ticket/<token>/message")
@public
def send_message(token: str) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Add a message, or show the page again with all that was typed."""
    ticket = get_own_ticket(token)
    form = FollowUpForm(request.form)
    submission = read_submission(ticket.site, hides_origin=True)
    if not form.validate() or not submission.is_sound:
        return _page_again(token, form, submission), 422
    try:
        message = _receive(ticket, form, submission)
    except (NoRoom, TooMany) as problem:
        submission.take_back(problem)
        return _page_again(token, form, submission), problem.status, problem.headers
    return redirect(f"{status_path(message.ticket)}?added={message.id}", 303)


@blueprint.get("/ticket/<token>/files/<int(max=2147483647):file_id>/<name>")
@public
def download_file(token: str, file_id: int, name: str) -> Response:
    """A file of a message that the reader may see, always as a download."""
    file = get_public_attachment(get_own_ticket(token), file_id)
    return as_download(file.storage_key, name=file.name, media_type=file.media_type)


def _receive(ticket: Ticket, form: FollowUpForm, submission: Submission) -> Message:
    return receive_follow_up(
        ticket,
        letter=_letter(ticket, form, submission),
        remote_address=request.remote_addr or "",
        upload_token=submission.upload_token,
    )


def _letter(ticket: Ticket, form: FollowUpForm, submission: Submission) -> Letter:
    reader = ticket.reader
    return Letter(
        body_text=form.body,
        from_address=reader.address if reader else "",
        from_name=reader.name if reader else "",
        files=submission.store(),
        submission_key=submission.token.submission_key,
        content_hash=submission.content_hash(str(ticket.id), form.body),
    )


def _article_of(ticket: Ticket) -> str | None:
    """The address of the article, as long as it is one of the site's own pages."""
    return article_address(ticket.site, ticket.article.canonical_url) if ticket.article else None


def _page_again(token: str, form: FollowUpForm, submission: Submission) -> str:
    keep_for_next_time(get_own_ticket(token).site, submission)
    return _page(get_own_ticket(token), form, submission.token.again(), submission)


def _page(ticket: Ticket, form: FollowUpForm, token: FormToken, submission: Submission | None = None) -> str:
    messages = public_messages_of(ticket)
    is_added = request.args.get("added", type=int) in [message.id for message in messages]
    return render_template(
        "contact/ticket.html",
        site=ticket.site, ticket=ticket, messages=messages, state=state_of(ticket, messages), added=is_added,
        form=form, token=token, submission=submission, wrong=problems(form, submission), limits=limits(),
        link=status_path(ticket), article=_article_of(ticket),
    )  # fmt: skip
