"""The contact form: shown, and sent."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from helpdesk.access import public
from helpdesk.contact import blueprint
from helpdesk.contact.about import About, about, about_of_request
from helpdesk.contact.form_token import FormToken
from helpdesk.contact.forms import ContactForm
from helpdesk.contact.lookup import get_site
from helpdesk.contact.screening import spam_reason
from helpdesk.contact.submission import Submission, keep_for_next_time, limits, problems, read_submission
from helpdesk.errors import NoRoom
from helpdesk.sites.models import Site, Topic
from helpdesk.tickets.intake import receive_form
from helpdesk.tickets.operations import Letter


@blueprint.get("/")
@public
def home() -> Response:
    """A desk has no other page for readers than its form."""
    return redirect(url_for("contact.show_form"), 303)


@blueprint.get("/contact")
@blueprint.get("/s/<slug>/contact")
@public
def show_form(slug: str | None = None) -> str:
    """The form, about the article the reader comes from."""
    site = get_site(slug)
    form = ContactForm(topics=_open_topics(site), topic=request.args.get("topic"))
    return _page(site, form, FormToken(site.id), about_of_request(site))


@blueprint.post("/contact")
@blueprint.post("/s/<slug>/contact")
@public
def send_form(slug: str | None = None) -> Response | tuple[str, int]:
    """Take the form in, or show it again with all that was typed."""
    site = get_site(slug)
    form = ContactForm(request.form, topics=_open_topics(site))
    submission = read_submission(site)
    topic = form.chosen_topic
    if not form.validate() or topic is None or not submission.is_sound:
        return _page_again(slug, form, submission), 422
    try:
        path = _receive(form, topic, submission)
    except NoRoom as problem:
        submission.take_back(problem)
        return _page_again(slug, form, submission), problem.status
    return redirect(path + "/thanks", 303)


def _receive(form: ContactForm, topic: Topic, submission: Submission) -> str:
    return receive_form(
        _letter(form, submission),
        topic_id=topic.id,
        remote_address=request.remote_addr or "",
        article_url=_article_url(),
        wants_answer=form.wants_answer,
        spam_reason=_spam_reason(form, submission),
        upload_token=submission.upload_token,
    )


def _letter(form: ContactForm, submission: Submission) -> Letter:
    said = (form.topic.data, _article_url(), form.name.data, form.answer.data, form.email.data, form.body)
    return Letter(
        body_text=form.body,
        from_name=form.name.data,
        from_address=form.email.data,
        files=submission.store(),
        submission_key=submission.token.submission_key,
        content_hash=submission.content_hash(*said),
    )


def _spam_reason(form: ContactForm, submission: Submission) -> str | None:
    seconds = submission.token.age
    return spam_reason(trap=form.website.data, seconds=seconds, name=form.name.data, text=form.body)


def _article_url() -> str:
    return "" if "whole" in request.form else request.form.get("url", "")


def _open_topics(site: Site) -> list[Topic]:
    return [topic for topic in site.topics if topic.active]


def _page_again(slug: str | None, form: ContactForm, submission: Submission) -> str:
    keep_for_next_time(get_site(slug), submission)
    site = get_site(slug)
    form.topics = _open_topics(site)
    page = about(site, _article_url(), is_said=False)
    return _page(site, form, submission.token.again(), page, submission)


def _page(site: Site, form: ContactForm, token: FormToken, page: About, submission: Submission | None = None) -> str:
    return render_template(
        "contact/form.html", site=site, form=form, token=token, page=page, submission=submission,
        wrong=problems(form, submission), limits=limits(),
    )  # fmt: skip
