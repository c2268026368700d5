"""Topics: what readers choose on the form of a publication."""

from typing import Any

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.forms import first_error
from helpdesk.desk.pages import desk_page
from helpdesk.desk.setup_forms import TopicForm
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid
from helpdesk.sites.changing import TopicChange, add_topic, change_topic
from helpdesk.sites.models import FormKind, Priority, Queue, Site, Topic
from helpdesk.sites.queries import get_queue, get_site, get_topic, list_sites, list_topics
from helpdesk.tickets.setting_up import remove_topic, set_up, tickets_with


@blueprint.get("/setup/topics")
@require("setup.edit")
def topics() -> str:
    """All topics in the order of the form, by publication."""
    return desk_page("setup/topics.html", sites=list_sites(), topics=list_topics())


@blueprint.get(f"/setup/sites/<{ID}:site_id>/topics/new")
@require("setup.edit")
def new_topic(site_id: int) -> str:
    """An empty form."""
    site = get_site(site_id)
    return _page(_form(site, position=len(site.topics)), site)


@blueprint.post(f"/setup/sites/<{ID}:site_id>/topics/new")
@require("setup.edit")
def add_a_topic(site_id: int) -> Response | tuple[str, int]:
    """Keep a new topic."""
    site = get_site(site_id)
    form = _form(site)
    try:
        queue, fields = _decided(form)
        what = f"the topics: “{form.label.data}” is new"
        set_up(site, what=what, change=lambda: add_topic(site, queue=queue, **fields), by=g.agent)
    except HelpdeskError as error:
        return _page(form, get_site(site_id), problem=error.message), error.status
    flash("Readers can choose it now." if form.active.data else "The topic is saved.", "done")
    return redirect(url_for("desk.topics"), 303)


@blueprint.get(f"/setup/topics/<{ID}:topic_id>")
@require("setup.edit")
def edit_topic(topic_id: int) -> str:
    """One topic, to be changed."""
    topic = get_topic(topic_id)
    return _page(_form(topic.site, topic=topic), topic.site, topic)


@blueprint.post(f"/setup/topics/<{ID}:topic_id>")
@require("setup.edit")
def change_a_topic(topic_id: int) -> Response | tuple[str, int]:
    """Keep what was changed."""
    topic = get_topic(topic_id)
    form = _form(topic.site)
    try:
        queue, fields = _decided(form)
        what = f"the topic “{form.label.data}”"
        set_up(topic.site, what=what, change=lambda: change_topic(topic, queue=queue, **fields), by=g.agent)
    except HelpdeskError as error:
        topic = get_topic(topic_id)
        return _page(form, topic.site, topic, error.message), error.status
    flash("The topic is saved.", "done")
    return redirect(url_for("desk.topics"), 303)


@blueprint.get(f"/setup/topics/<{ID}:topic_id>/remove")
@require("setup.edit")
def leave_topic(topic_id: int) -> str:
    """What will happen when this topic goes."""
    return _leaving(get_topic(topic_id))


@blueprint.post(f"/setup/topics/<{ID}:topic_id>/remove")
@require("setup.edit")
def remove_a_topic(topic_id: int) -> Response | tuple[str, int]:
    """Take it off the form."""
    topic = get_topic(topic_id)
    try:
        is_gone = remove_topic(topic, by=g.agent)
    except HelpdeskError as error:
        return _leaving(get_topic(topic_id), error.message), error.status
    flash("The topic is gone." if is_gone else "Readers no longer choose it. Its tickets keep it.", "done")
    return redirect(url_for("desk.topics"), 303)


def _decided(form: TopicForm) -> tuple[Queue, TopicChange]:
    if not form.validate():
        raise Invalid(first_error(form))
    return get_queue(form.queue.data), TopicChange(
        label=form.label.data, slug=form.slug.data or "", form_kind=FormKind(form.form_kind.data),
        priority=Priority(form.priority.data), position=form.position.data, active=form.active.data,
    )  # fmt: skip


def _form(site: Site, *, topic: Topic | None = None, **given: Any) -> TopicForm:
    if topic is not None:
        given = {
            "label": topic.label, "slug": topic.slug, "form_kind": topic.form_kind.value, "queue": topic.queue_id,
            "priority": topic.priority.value, "position": topic.position, "active": topic.active,
        }  # fmt: skip
    form = TopicForm(data=given) if request.method == "GET" else TopicForm()
    form.queue.choices = [SelectChoice(queue.id, queue.name) for queue in site.queues]
    return form


def _page(form: TopicForm, site: Site, topic: Topic | None = None, problem: str = "") -> str:
    return desk_page("setup/topic.html", form=form, site=site, topic=topic, problem=problem)


def _leaving(topic: Topic, problem: str = "") -> str:
    return desk_page("setup/topic_leaving.html", topic=topic, tickets=tickets_with(topic), problem=problem)
