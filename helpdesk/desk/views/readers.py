"""Readers: the list, all tickets of one, and what staff decide about him."""

from collections.abc import Callable

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.addresses import normalise
from helpdesk.desk import blueprint
from helpdesk.desk.forms import first_error
from helpdesk.desk.pages import desk_page
from helpdesk.desk.setup_forms import AddressForm, ReaderForm, row_id
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid, NotFound
from helpdesk.readers.models import Reader
from helpdesk.tickets.lists import list_reader
from helpdesk.tickets.reader_list import find_known, get_reader, list_readers, reader_history
from helpdesk.tickets.readers import (
    add_address,
    block_reader,
    change_reader,
    count_tickets,
    merge_reader,
    remove_address,
    unblock_reader,
)

READER = f"/readers/<{ID}:reader_id>"


@blueprint.get("/readers")
@require("tickets.read")
def readers() -> str:
    """Everybody who wrote, the newest first."""
    words, after = request.args.get("words", "").strip()[:200], request.args.get("after", type=row_id)
    return desk_page("readers/readers.html", page=list_readers(g.agent, words=words, after=after), words=words)


@blueprint.get(READER)
@require("tickets.read")
def reader(reader_id: int) -> str:
    """All tickets of a reader. One without a visible ticket is not there."""
    page = list_reader(reader_id, g.agent, after=request.args.get("after"))
    if not page.tickets:
        raise NotFound
    return desk_page("reader.html", page=page, reader=get_reader(reader_id, g.agent))


@blueprint.get(f"{READER}/edit")
@require("tickets.triage")
def edit_reader(reader_id: int) -> str:
    """What is known of a reader, to be changed."""
    return _page(get_reader(reader_id, g.agent))


@blueprint.post(f"{READER}/edit")
@require("tickets.triage")
def change_a_reader(reader_id: int) -> Response | tuple[str, int]:
    """Keep name and note."""
    form = ReaderForm()

    def change(reader: Reader) -> None:
        _check(form)
        change_reader(reader, name=form.name.data or "", note=form.note.data)

    return _do(reader_id, change, "What you wrote is saved.")


@blueprint.post(f"{READER}/block")
@require("tickets.triage")
def block(reader_id: int) -> Response | tuple[str, int]:
    """Listen to him no more."""
    done = "Blocked: what comes from this reader is filed as spam from now on."
    return _do(reader_id, lambda reader: block_reader(reader, by=g.agent), done)


@blueprint.post(f"{READER}/unblock")
@require("tickets.triage")
def unblock(reader_id: int) -> Response | tuple[str, int]:
    """Listen to him again."""
    return _do(reader_id, lambda reader: unblock_reader(reader, by=g.agent), "The reader is no longer blocked.")


@blueprint.post(f"{READER}/addresses")
@require("readers.edit")
def add_an_address(reader_id: int) -> Response | tuple[str, int]:
    """Know him by one more address."""
    form = AddressForm()

    def add(reader: Reader) -> None:
        _check(form)
        add_address(reader, address=form.address.data, by=g.agent)

    return _do(reader_id, add, "Mail from that address belongs to this reader now.")


@blueprint.post(f"{READER}/addresses/<{ID}:address_id>/remove")
@require("readers.edit")
def remove_an_address(reader_id: int, address_id: int) -> Response | tuple[str, int]:
    """Know him by one address less."""
    done = "The address is gone. What came from it stays here."
    return _do(reader_id, lambda reader: remove_address(reader, address_id=address_id, by=g.agent), done)


@blueprint.get(f"{READER}/merge")
@require("readers.edit")
def leave_reader(reader_id: int) -> str | tuple[str, int]:
    """What will happen when this reader and another become one."""
    reader = get_reader(reader_id, g.agent)
    into = find_known(normalise(request.args.get("into", "")), g.agent)
    if into is None or into is reader:
        return _page(reader, "No other reader has that address. Write it as it stands on the other reader’s page."), 422
    return desk_page("readers/merging.html", reader=reader, into=into, tickets=count_tickets(reader))


@blueprint.post(f"{READER}/merge")
@require("readers.edit")
def merge_a_reader(reader_id: int) -> Response | tuple[str, int]:
    """The two are one."""
    reader = get_reader(reader_id, g.agent)
    into = get_reader(request.form.get("into", 0, type=row_id), g.agent)
    try:
        merge_reader(reader, into=into, by=g.agent)
    except HelpdeskError as error:
        return _page(get_reader(reader_id, g.agent), error.message), error.status
    flash("The two are one reader now.", "done")
    return redirect(url_for("desk.reader", reader_id=into.id), 303)


def _do(reader_id: int, verb: Callable[[Reader], None], done: str) -> Response | tuple[str, int]:
    try:
        verb(get_reader(reader_id, g.agent))
    except NotFound:
        raise
    except HelpdeskError as error:
        return _page(get_reader(reader_id, g.agent), error.message), error.status
    flash(done, "done")
    return redirect(url_for("desk.edit_reader", reader_id=reader_id), 303)


def _check(form: ReaderForm | AddressForm) -> None:
    if not form.validate():
        raise Invalid(first_error(form))


def _page(reader: Reader, problem: str = "") -> str:
    form = ReaderForm(formdata=None, data={"name": reader.name, "note": reader.note})
    if problem and "note" in request.form:
        form = ReaderForm()
    return desk_page("readers/reader.html", reader=reader, form=form, history=reader_history(reader), problem=problem)
