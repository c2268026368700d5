"""Accounts of colleagues: invited, changed, signed out, closed and opened again, each with its entry."""

from collections.abc import Callable

import pytest

from helpdesk.agents.models import Agent, SignIn
from helpdesk.agents.operations import find_agent
from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.tickets.models import Resolution
from helpdesk.tickets.staff import account_history, change_agent
from helpdesk.tickets.triage import assign, close
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.factories import event_kinds, make_ticket, outbox


def history(agent: Agent) -> list[str]:
    """What was decided about an account, the latest first."""
    return [f"{one.actor} {one.sentence}" for one in account_history(agent)]


def test_a_colleague_is_invited_by_mail_and_it_is_noted(carla: Desk, cast: Cast) -> None:
    carla.post("/desk/agents", name="Dan Dale", email="dan@example.org", role="editor", queues=[cast.legal.id])
    dan = find_agent("dan@example.org")
    assert dan is not None
    assert [mail.recipients[0].address for mail in outbox()] == ["dan@example.org"]
    assert history(dan) == ["Carla Cole invited Dan Dale as editor"]
    assert "invited</span>" in carla.get("/desk/agents").text


def test_role_and_queues_are_noted(carla: Desk, cast: Cast) -> None:
    carla.post(f"/desk/agents/{cast.ann.id}", role="editor", queues=[cast.queue.id, cast.legal.id])
    assert cast.ann.role is Role.EDITOR
    assert history(cast.ann) == ["Carla Cole changed the role to editor, the queues to Legal, Readers"]


def test_before_an_account_is_closed_the_page_says_what_is_left_behind(carla: Desk, cast: Cast) -> None:
    assign(make_ticket(cast), assignee=cast.ann, by=cast.ann)
    page = carla.get(f"/desk/agents/{cast.ann.id}/deactivate").text
    assert "1 open ticket belongs to Ann" in page
    assert "No open ticket belongs to Sam." in carla.get(f"/desk/agents/{cast.sam.id}/deactivate").text


@pytest.mark.parametrize("unassign", [True, False])
def test_the_open_tickets_of_a_closed_account_go_back_if_so_wanted(
    carla: Desk, ann: Desk, cast: Cast, unassign: bool
) -> None:
    kept, done = make_ticket(cast), make_ticket(cast)
    for ticket in (kept, done):
        assign(ticket, assignee=cast.ann, by=cast.ann)
    close(done, resolution=Resolution.ANSWERED, by=cast.ann)
    carla.post(f"/desk/agents/{cast.ann.id}/deactivate", **({"unassign": "1"} if unassign else {}))
    assert (cast.ann.active, ann.get("/desk/unassigned").status_code) == (False, 303)
    assert (kept.assignee, done.assignee) == (None if unassign else cast.ann, cast.ann)
    assert event_kinds(kept).count("assigned") == (2 if unassign else 1)
    assert kept.events[-1].sentence == ("took it off Ann Archer" if unassign else "took the ticket")
    assert history(cast.ann) == ["Carla Cole changed the account: closed it"]


def test_nobody_closes_his_own_account_and_one_admin_stays(carla: Desk, cast: Cast) -> None:
    answer = carla.post(f"/desk/agents/{cast.carla.id}/deactivate")
    assert (answer.status_code, cast.carla.active) == (403, True)
    with pytest.raises(Conflict):
        change_agent(cast.carla, what="x", change=lambda: setattr(cast.carla, "role", Role.AGENT), by=cast.eve)
    assert cast.carla.role is Role.ADMIN


def test_an_account_is_opened_again(carla: Desk, cast: Cast, at_desk: Callable[[Agent], Desk]) -> None:
    carla.post(f"/desk/agents/{cast.ann.id}/deactivate")
    carla.post(f"/desk/agents/{cast.ann.id}/reactivate")
    assert at_desk(cast.ann).get("/desk/unassigned").status_code == 200
    assert history(cast.ann)[0] == "Carla Cole changed the account: opened it again"


def test_an_admin_sees_the_sign_ins_and_ends_one_or_all(
    carla: Desk, cast: Cast, at_desk: Callable[[Agent], Desk]
) -> None:
    first, second, third = (at_desk(cast.ann) for _ in range(3))
    ids = [one.id for one in db.session.query(SignIn).filter_by(agent_id=cast.ann.id).order_by(SignIn.id)]
    page = carla.get(f"/desk/agents/{cast.ann.id}").text
    assert page.count("/sign-ins/") == 3
    carla.post(f"/desk/agents/{cast.ann.id}/sign-ins/{ids[0]}/end")
    assert [desk.get("/desk/unassigned").status_code for desk in (first, second, third)] == [303, 200, 200]
    assert carla.post(f"/desk/agents/{cast.sam.id}/sign-ins/{ids[1]}/end").status_code == 404
    carla.post(f"/desk/agents/{cast.ann.id}/sign-out")
    assert [desk.get("/desk/unassigned").status_code for desk in (second, third)] == [303, 303]
    assert history(cast.ann)[0] == "Carla Cole changed the sign-ins: ended all of them"
    assert "Nowhere just now." in carla.get(f"/desk/agents/{cast.ann.id}").text
