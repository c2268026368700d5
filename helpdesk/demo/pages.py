"""The demo's own pages: caught mail with “Answer as the reader”, and the sample publication's articles."""

import smtplib
from pathlib import Path
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from helpdesk import paths
from helpdesk.config import Settings
from helpdesk.demo.caught import CaughtMail, CaughtMails
from helpdesk.demo.letters import EnclosedFile, answered_subject, reader_mail
from helpdesk.demo.publication import ARTICLES, NAME

CAUGHT_CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"

PAGE_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'"
)
LOOPBACK = ["127.0.0.1", "localhost"]
MOST_BYTES = 12 * 1024 * 1024

blueprint = Blueprint("demo", __name__)


def create_pages(settings: Settings, mails: CaughtMails) -> Flask:
    """A small application of its own: it is no part of the desk."""
    app = Flask(
        __name__, template_folder=str(paths.templates() / "demo"), static_folder=str(Path(__file__).parent / "static")
    )
    app.config.update(TRUSTED_HOSTS=LOOPBACK, MAX_CONTENT_LENGTH=MOST_BYTES)
    app.extensions["settings"], app.extensions["mails"] = settings, mails
    app.context_processor(
        lambda: {"publication": NAME, "desk_url": settings.link("/desk/"), "contact_url": contact_url}
    )
    app.before_request(_refuse_other_sites)
    app.after_request(_secure)
    app.register_blueprint(blueprint)
    return app


@blueprint.get("/")
def mail_list() -> str:
    """All caught mail, newest first."""
    return render_template("mails.html", mails=_mails().newest())


@blueprint.get("/mail/<mail_id>")
def mail(mail_id: str) -> str:
    """One mail, and a place to answer it."""
    return render_template("mail.html", mail=_find(mail_id), is_sent="sent" in request.args)


@blueprint.get("/mail/<mail_id>/html")
def mail_html(mail_id: str) -> Response:
    """Its HTML part, for the sandboxed frame."""
    return Response(_find(mail_id).html, headers={"Content-Security-Policy": CAUGHT_CSP})


@blueprint.get("/mail/<mail_id>/raw")
def mail_raw(mail_id: str) -> Response:
    """Every byte as it came."""
    return Response(_find(mail_id).raw, mimetype="text/plain")


@blueprint.post("/mail/<mail_id>/answer")
def answer(mail_id: str) -> AnyResponse:
    """Send a real mail back to the desk, as the reader would."""
    caught, text = _find(mail_id), request.form.get("text", "").strip()
    if not text or not caught.answer_to:
        abort(422)
    send_answer(caught, text, enclosed=_enclosed())
    return redirect(url_for("demo.mail", mail_id=mail_id, sent=1), 303)


@blueprint.get("/articles/")
def article_list() -> str:
    """The publication's front page."""
    return render_template("articles.html", articles=ARTICLES)


@blueprint.get("/articles/<slug>")
def article(slug: str) -> str:
    """One article, with the link that every article ends with."""
    found = next((one for one in ARTICLES if one.slug == slug), None) or abort(404)
    return render_template("article.html", article=found, url=url_for("demo.article", slug=slug, _external=True))


def contact_url(article_url: str) -> str:
    """The contact page that knows which article it is about."""
    return f"{_settings().link('/contact')}?url={quote(article_url, safe='')}"


def send_answer(caught: CaughtMail, text: str, *, enclosed: EnclosedFile | None = None) -> None:
    """Write what a mail program would write and hand it to the mail server."""
    name, address = caught.reader
    letter = reader_mail(
        name=name, address=address, to=caught.answer_to, subject=answered_subject(caught.subject), text=text,
        earlier=caught.earlier, enclosed=enclosed,
    )  # fmt: skip
    with smtplib.SMTP(_settings().smtp_host, _settings().smtp_port, timeout=_settings().smtp_timeout_seconds) as server:
        server.send_message(letter, from_addr=address, to_addrs=[caught.answer_to])


def _enclosed() -> EnclosedFile | None:
    file = request.files.get("file")
    if file is None or not file.filename:
        return None
    return EnclosedFile(file.filename, file.mimetype or "application/octet-stream", file.read())


def _find(mail_id: str) -> CaughtMail:
    return _mails().find(mail_id) or abort(404)


def _mails() -> CaughtMails:
    mails: CaughtMails = current_app.extensions["mails"]
    return mails


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _refuse_other_sites() -> None:
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)


def _secure(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", PAGE_CSP)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer-when-downgrade"
    return response
