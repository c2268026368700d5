"""The whole map of addresses as a matrix: every role at every door, and no door without a decision."""

import re
from collections.abc import Callable

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from helpdesk.access import access_of, init_app
from helpdesk.agents.models import Agent
from helpdesk.canned_replies.operations import add_canned_reply
from helpdesk.errors import Misconfigured
from helpdesk.inbound.operations import process, receive
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.operations import Letter
from helpdesk.uploads import store
from tests.cast import RUTH, Cast
from tests.conftest import token_in
from tests.factories import make_ticket
from tests.pages import World, find_world

PUBLIC, SIGNED_IN, CLOSED = "public", "signed in", "closed"
AGENT, EDITOR, ADMIN = "agent", "editor", "admin"
RANK = {AGENT: 0, EDITOR: 1, ADMIN: 2}

DOORS = {
    "static": PUBLIC, "bootstrap.static": PUBLIC,
    "contact.home": PUBLIC, "contact.show_form": PUBLIC, "contact.send_form": PUBLIC, "contact.show_thanks": PUBLIC,
    "contact.show_ticket": PUBLIC, "contact.send_message": PUBLIC, "contact.return_to_ticket": PUBLIC,
    "contact.download_file": PUBLIC, "contact.accent": PUBLIC,
    "intake.take_mime": PUBLIC, "intake.take_mailgun": PUBLIC, "intake.take_postmark": PUBLIC,
    "intake.take_sendgrid": PUBLIC, "intake.take_ses": PUBLIC,
    "health.live": PUBLIC, "health.ready": PUBLIC, "health.metrics": PUBLIC,
    "doctor.proxy": PUBLIC,
    "security.login": PUBLIC, "security.logout": PUBLIC, "security.forgot_password": PUBLIC,
    "security.two_factor_token_validation": PUBLIC, "security.mf_recovery": PUBLIC, "security.wan_signin": PUBLIC,
    "security.wan_signin_response": PUBLIC, "security.wan_register": SIGNED_IN,
    "security.wan_register_response": SIGNED_IN, "security.wan_delete": SIGNED_IN,
    "security.wan_verify": CLOSED, "security.wan_verify_response": CLOSED, "security.two_factor_setup": CLOSED,
    "security.two_factor_setup_validate": CLOSED, "security.two_factor_rescue": CLOSED, "security.tf_select": CLOSED,
    "security.mf_recovery_codes": CLOSED,
    "desk.two_factor": AGENT, "desk.start_two_factor": AGENT, "desk.renew_codes": AGENT, "desk.end_two_factor": AGENT,
    "desk.forget_agents_devices": ADMIN, "desk.leave_agents_devices": ADMIN, "desk.require_two_factor": ADMIN,
    "security.reset_password": PUBLIC, "security.change_password": SIGNED_IN, "security.verify": SIGNED_IN,
    "desk.home": AGENT, "desk.folder": AGENT, "desk.folder_news": AGENT, "desk.find": AGENT, "desk.suggestions": AGENT, "desk.article": AGENT,
    "desk.readers": AGENT, "desk.edit_reader": AGENT, "desk.change_a_reader": AGENT, "desk.block": AGENT,
    "desk.unblock": AGENT, "desk.add_an_address": EDITOR, "desk.remove_an_address": EDITOR,
    "desk.leave_reader": EDITOR, "desk.merge_a_reader": EDITOR,
    "desk.reader": AGENT, "desk.account": AGENT, "desk.save_account": AGENT, "desk.sign_out_device": AGENT, "desk.sign_out_others": AGENT,
    "desk.ticket": AGENT, "desk.ticket_news": AGENT, "desk.file": AGENT, "desk.message_html": AGENT,
    "desk.reply": AGENT, "desk.undo_reply": AGENT, "desk.note": AGENT, "desk.draft": AGENT, "desk.discard_draft": AGENT,
    "desk.canned_reply": AGENT, "desk.insert_canned_reply": AGENT, "desk.remove_draft_file": AGENT,
    "desk.take": AGENT, "desk.assign": AGENT, "desk.close": AGENT, "desk.reopen": AGENT, "desk.spam": AGENT,
    "desk.unspam": AGENT, "desk.topic": AGENT, "desk.priority": AGENT, "desk.queue": AGENT, "desk.tag": AGENT,
    "desk.undo_act": AGENT,
    "desk.untag": AGENT, "desk.name": AGENT, "desk.add_participant": AGENT, "desk.remove_participant": AGENT,
    "desk.mail": EDITOR, "desk.raw_mail": AGENT, "desk.view_mail": AGENT, "desk.retry_mail": EDITOR, "desk.retry_sending": AGENT,
    "desk.make_ticket_of_mail": EDITOR, "desk.ignore_mail": EDITOR,
    "desk.retry_stuck_mail": EDITOR, "desk.leave_stuck_mail": EDITOR,
    "desk.mail_seen_to": EDITOR,
    "desk.mail_text": EDITOR, "desk.mark_mail_handled": EDITOR,
    "desk.canned_replies": EDITOR, "desk.new_canned_reply": EDITOR, "desk.add_canned": EDITOR,
    "desk.edit_canned_reply": EDITOR, "desk.change_canned": EDITOR, "desk.remove_canned": EDITOR,
    "desk.setup": EDITOR, "desk.tags": EDITOR, "desk.edit_tag": EDITOR, "desk.rename_a_tag": EDITOR,
    "desk.merge_a_tag": EDITOR, "desk.leave_tag": EDITOR, "desk.remove_a_tag": EDITOR,
    "desk.queues": ADMIN, "desk.new_queue": ADMIN, "desk.add_a_queue": ADMIN, "desk.edit_queue": ADMIN,
    "desk.change_a_queue": ADMIN, "desk.leave_queue": ADMIN, "desk.remove_a_queue": ADMIN,
    "desk.topics": ADMIN, "desk.new_topic": ADMIN, "desk.add_a_topic": ADMIN, "desk.edit_topic": ADMIN,
    "desk.change_a_topic": ADMIN, "desk.leave_topic": ADMIN, "desk.remove_a_topic": ADMIN,
    "desk.sites": ADMIN, "desk.new_site": ADMIN, "desk.add_a_site": ADMIN, "desk.edit_a_site": ADMIN,
    "desk.change_a_site": ADMIN,
    "desk.pause": ADMIN, "desk.resume": ADMIN,
    "desk.agents": ADMIN, "desk.add_colleague": ADMIN, "desk.edit_agent": ADMIN, "desk.change_agent": ADMIN,
    "desk.deactivate_agent": ADMIN, "desk.reactivate_agent": ADMIN, "desk.invite_agent": ADMIN,
    "desk.leave_agent": ADMIN, "desk.sign_out_agent": ADMIN, "desk.end_agents_sign_in": ADMIN,
}  # fmt: skip
BESIDE_A_TICKET = {
    "home",
    "folder",
    "folder_news",
    "find",
    "suggestions",
    "article",
    "reader",
    "readers",
    "account",
    "save_account",
    "sign_out_others",
    "two_factor",
    "start_two_factor",
    "renew_codes",
    "end_two_factor",
    "undo_act",
}
NAMES_A_TICKET = {
    endpoint
    for endpoint, door in DOORS.items()
    if door == AGENT and endpoint.removeprefix("desk.") not in BESIDE_A_TICKET | {"sign_out_device"}
}


@pytest.fixture
def world(cast: Cast) -> World:
    """Something of everything, in Ann's queue."""
    letter = Letter(body_text="A bridge", from_address=RUTH, files=(store("plan.txt", b"a plan"),))
    make_ticket(cast, letter=letter)
    add_canned_reply(cast.site, name="Thanks", body="Thank you.", by=None)
    process(receive(b"From: ruth@example.com\nTo: support@example.org\nSubject: Hi\n\nHello\n").id)
    return find_world()


def test_every_door_is_in_the_matrix(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(DOORS)


def test_an_endpoint_that_nobody_opened_keeps_the_desk_from_starting(app: Flask) -> None:
    app.view_functions["forgotten"] = lambda: ""
    app.url_map.add(Rule("/forgotten", endpoint="forgotten"))
    with pytest.raises(Misconfigured, match="forgotten"):
        init_app(app)


def test_what_the_doors_ask_for_is_what_the_matrix_says(app: Flask) -> None:
    public = {endpoint for endpoint in DOORS if access_of(app, endpoint) == PUBLIC}
    assert public == {endpoint for endpoint, door in DOORS.items() if door == PUBLIC}


def test_nobody_comes_through_a_closed_door(app: Flask, client: FlaskClient, world: World) -> None:
    token = token_in(client.get("/desk/sign-in").text)
    for rule, method in doors(app):
        if DOORS[rule.endpoint] == CLOSED:
            assert (rule.endpoint, knock(client, method, path_of(app, rule, world), token).status_code) == (
                rule.endpoint,
                404,
            )
        elif DOORS[rule.endpoint] != PUBLIC:
            answer = knock(client, method, path_of(app, rule, world), token)
            asked = (answer.status_code in (302, 303), answer.location.split("?")[0])
            assert (rule.endpoint, *asked) == (rule.endpoint, True, "/desk/sign-in")


@pytest.mark.parametrize("who", ["ann", "eve", "carla", "sam"])
def test_class_49_every_role_at_every_door(
    app: Flask, cast: Cast, world: World, sign_in: Callable[[Agent], FlaskClient], who: str
) -> None:
    agent: Agent = getattr(cast, who)
    browser = sign_in(agent)
    token = token_in(browser.get("/desk/account").text)
    wrong = []
    closed = [(rule, method) for rule, method in doors(app) if DOORS[rule.endpoint] in RANK]
    paths = [path_of(app, rule, world) for rule, _ in closed]  # before the first door takes something away
    for (rule, method), path in zip(closed, paths, strict=True):
        door, status = DOORS[rule.endpoint], knock(browser, method, path, token).status_code
        if RANK[agent.role.value] < RANK[door]:
            is_right = status == 403
        elif who == "sam" and rule.endpoint in NAMES_A_TICKET:
            is_right = status == 404
        else:
            is_right = status in (200, 303, 302, 404, 409, 422) and not (
                status == 404 and rule.endpoint in MUST_BE_FOUND
            )
        if not is_right:
            wrong.append((rule.endpoint, status))
    assert wrong == []


MUST_BE_FOUND = {
    "desk.ticket",
    "desk.folder",
    "desk.file",
    "desk.reply",
    "desk.note",
    "desk.take",
    "desk.close",
    "desk.edit_agent",
}


def test_class_53_no_change_without_a_token(
    app: Flask, cast: Cast, world: World, sign_in: Callable[[Agent], FlaskClient]
) -> None:
    browser = sign_in(cast.carla)
    for rule, method in doors(app):
        if method == "POST" and rule.endpoint.startswith("desk."):
            assert (rule.endpoint, browser.post(path_of(app, rule, world)).status_code) == (rule.endpoint, 400)


def test_class_26_and_53_a_get_changes_nothing(
    app: Flask, cast: Cast, world: World, sign_in: Callable[[Agent], FlaskClient]
) -> None:
    from sqlalchemy import event

    from helpdesk.database import db

    browser = sign_in(cast.carla)
    written: list[str] = []
    event.listen(
        db.engine, "before_cursor_execute", lambda *args: written.append(args[2]) if is_write(args[2]) else None
    )
    for rule, method in doors(app):
        if method == "GET":
            for ask in (browser.get, browser.head):
                with ask(path_of(app, rule, world)):
                    pass
    assert written == []


def test_a_body_of_json_is_not_read_to_find_out_who_asks(client: FlaskClient) -> None:
    answer = client.get("/desk/account", data=b"[" * 100_000, content_type="application/json")
    assert answer.status_code == 303


def is_write(statement: str) -> bool:
    """True for a statement that changes rows."""
    return re.match(r"\s*(INSERT|UPDATE|DELETE)", statement) is not None


def doors(app: Flask) -> list[tuple[Rule, str]]:
    """Every address with each of its methods."""
    methods = ("GET", "POST")
    return [(rule, method) for rule in app.url_map.iter_rules() for method in methods if method in (rule.methods or ())]


def path_of(app: Flask, rule: Rule, world: World) -> str:
    """A real address for a rule."""
    ticket: Ticket = world.ticket
    values: dict[str, object] = {
        "number": ticket.number, "article_id": ticket.article_id, "reader_id": ticket.reader_id, "name": "plan.txt",
        "file_id": world.file.id, "message_id": world.message.id, "email_id": world.inbound.id, "recipient_id": world.recipient.id,
        "stuck_id": 999, "act": "none", "canned_id": world.canned.id, "agent_id": world.agent.id, "sign_in_id": 999, "slug": "tidewater",
        "queue_id": ticket.queue_id, "topic_id": ticket.topic_id, "site_id": ticket.site_id, "tag_id": 999, "colour": "1f5578", "address_id": 999,
        "token": world.status.rsplit("/", 1)[1], "filename": "reader.css",
    }  # fmt: skip
    if rule.endpoint in ("desk.folder", "desk.folder_news"):
        values["name"] = "unassigned"
    if rule.endpoint == "bootstrap.static":
        values["filename"] = "bootstrap5/css/bootstrap.min.css"
    with app.test_request_context():
        return url_for(rule.endpoint, **{name: values[name] for name in rule.arguments})


def knock(browser: FlaskClient, method: str, path: str, token: str) -> object:
    """Open an address, or send it an empty form with a good token."""
    answer = browser.get(path) if method == "GET" else browser.post(path, data={"csrf_token": token})
    answer.close()
    return answer
