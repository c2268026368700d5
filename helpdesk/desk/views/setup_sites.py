"""Publications: what readers see of each, and which addresses are theirs."""

from typing import Any

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.forms import first_error
from helpdesk.desk.pages import desk_page
from helpdesk.desk.setup_forms import NewSiteForm, SiteForm
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid
from helpdesk.sites.changing import SiteChange, edit_site, make_default, open_site
from helpdesk.sites.models import Site
from helpdesk.sites.queries import get_site, list_sites
from helpdesk.tickets.setting_up import set_up


@blueprint.get("/setup/sites")
@require("setup.edit")
def sites() -> str:
    """All publications."""
    return desk_page("setup/sites.html", sites=list_sites())


@blueprint.get("/setup/sites/new")
@require("setup.edit")
def new_site() -> str:
    """An empty form."""
    return _page(NewSiteForm(data={"timezone": g.agent.timezone, "answer_within": "two working days"}))


@blueprint.post("/setup/sites/new")
@require("setup.edit")
def add_a_site() -> Response | tuple[str, int]:
    """Keep a new publication with its first queue and the usual topics."""
    form = NewSiteForm()
    if "preview" in request.form:
        return _page(form), 200
    try:
        site = _add(form)
    except HelpdeskError as error:
        return _page(form, problem=error.message), error.status
    flash(f"{site.name} is there, with a queue and the usual topics. Now say who works in the queue.", "done")
    return redirect(url_for("desk.edit_queue", queue_id=site.queues[0].id), 303)


@blueprint.get(f"/setup/sites/<{ID}:site_id>")
@require("setup.edit")
def edit_a_site(site_id: int) -> str:
    """One publication, to be changed."""
    site = get_site(site_id)
    return _page(SiteForm(data=_values(site)), site)


@blueprint.post(f"/setup/sites/<{ID}:site_id>")
@require("setup.edit")
def change_a_site(site_id: int) -> Response | tuple[str, int]:
    """Keep what was changed."""
    site, form = get_site(site_id), SiteForm()
    if "preview" in request.form:
        return _page(form, site), 200
    try:
        _change(site, form)
    except HelpdeskError as error:
        return _page(form, get_site(site_id), error.message), error.status
    flash("The publication is saved.", "done")
    return redirect(url_for("desk.sites"), 303)


def _add(form: NewSiteForm) -> Site:
    change = _decided(form)
    return open_site(
        change["name"], change=change, queue_name=form.queue_name.data, intake_address=form.intake_address.data,
        note=lambda site: set_up(site, what="the publications: this one is new", change=lambda: None, by=g.agent),
    )  # fmt: skip


def _change(site: Site, form: SiteForm) -> None:
    change = _decided(form)

    def edit() -> None:
        edit_site(site, **change)
        if form.is_default.data:
            make_default(site)

    set_up(site, what=f"the publication “{change['name']}”", change=edit, by=g.agent)


def _decided(form: SiteForm) -> SiteChange:
    if not form.validate():
        raise Invalid(first_error(form))
    return SiteChange(
        name=form.name.data, home_url=form.home_url.data, url_prefixes=form.prefixes, language=form.language.data,
        timezone=form.timezone.data, contact_text=form.contact_text.data, accent=form.accent.data.lower(),
        answer_within=form.answer_within.data, reopen_days=form.reopen_days.data, files_thanks=form.files_thanks.data,
    )  # fmt: skip


def _values(site: Site) -> dict[str, Any]:
    kept = {name: getattr(site, name) for name in (*SiteChange.__annotations__, "is_default")}
    return kept | {"url_prefixes": "\n".join(site.url_prefixes)}


def _page(form: SiteForm, site: Site | None = None, problem: str = "") -> str:
    return desk_page("setup/site.html", form=form, site=site, problem=problem)
