"""Live, ready, and what is counted, asked as a machine asks."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import make_url

from helpdesk import clock, create_app, metrics
from helpdesk.config import Settings
from helpdesk.database import db, transactional
from helpdesk.inbound.operations import process_received, receive
from helpdesk.jobs import noting
from helpdesk.outbound.claiming import claim_next
from helpdesk.outbound.pausing import pause_sending, resume_sending
from helpdesk.rate_limit import Limit, count
from helpdesk.tickets.delivery import deliver_due
from helpdesk.ticks import claim_tick
from tests.cast import Cast
from tests.conftest import token_in
from tests.letters import letter, put, use_server
from tests.servers.ports import free_port
from tests.servers.smtp import SmtpServer

TOKEN = "a token of the monitoring"
PARTS = ["database", "disk", "mail_in", "mail_out", "migrations", "worker"]


def bad(client: FlaskClient) -> list[str]:
    answer = client.get("/health/ready")
    found = sorted(name for name, said in answer.json["parts"].items() if said != "ok")
    assert answer.status_code == (503 if found else 200)
    assert sorted(answer.json["parts"]) == PARTS
    return found


def test_live_needs_no_database(app: Flask, client: FlaskClient) -> None:
    db.session.remove()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json, answer.headers["Cache-Control"]) == (200, {"status": "ok"}, "no-store")
    assert "Set-Cookie" not in answer.headers


def test_ready_when_a_worker_was_seen_and_all_is_well(settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes = 0
    assert bad(client) == ["worker"]
    claim_tick("start")
    assert bad(client) == []
    assert "Set-Cookie" not in client.get("/health/ready").headers


def test_each_part_that_is_not_well_is_named(settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes = 10**18
    with clock.at(clock.now() - timedelta(minutes=20)):
        claim_tick("start")
        put()
    assert bad(client) == ["disk", "mail_out", "worker"]


def test_a_mail_that_nobody_reads_is_told(settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes = 0
    claim_tick("start")
    with clock.at(clock.now() - timedelta(minutes=20)):
        receive(letter())
    assert bad(client) == ["mail_in"]


def test_a_data_folder_that_is_gone_is_told(settings: Settings, client: FlaskClient, tmp_path: Path) -> None:
    claim_tick("start")
    settings.data_dir = tmp_path / "nowhere"
    assert bad(client) == ["disk"]


@pytest.mark.engines("postgresql")
def test_a_database_server_that_is_gone_is_told_and_the_desk_lives(settings: Settings) -> None:
    url = make_url(settings.database_url).set(port=free_port()).render_as_string(hide_password=False)
    gone = settings.model_copy(update={"database_url": url, "metrics_token": SecretStr(TOKEN), "keep_free_bytes": 0})
    client = create_app(gone).test_client()
    assert bad(client) == ["database", "mail_in", "mail_out", "migrations", "worker"]
    assert client.get("/health/live").status_code == 200
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert ("helpdesk_database_up 0.0" in text, "helpdesk_outbox{" in text) == (True, False)


def test_sending_that_is_paused_is_told_and_no_fault(settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes = 0
    claim_tick("start")
    with clock.at(clock.now() - timedelta(hours=3)):
        put()
        pause_sending("Carla Cole")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json["status"], answer.json["parts"]["mail_out"]) == (200, "ok", "paused")
    resume_sending("Carla Cole")
    assert bad(client) == []


def test_mail_that_waits_for_the_hourly_limit_is_told_and_no_fault(settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes, settings.smtp_hourly_cap = 0, 1
    claim_tick("start")
    with clock.at(clock.now() - timedelta(minutes=50)):
        put()
        put()
        assert claim_next("one") is not None
        assert claim_next("one") is None
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json["parts"]["mail_out"]) == (200, "waits for the hourly limit")


def test_mail_that_still_stands_a_while_after_the_limit_is_a_fault(settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes, settings.smtp_hourly_cap = 0, 1
    claim_tick("start")
    with clock.at(clock.now() - timedelta(hours=3)):
        put()
        put()
        assert (claim_next("one") is not None, claim_next("one")) == (True, None)
    assert bad(client) == ["mail_out"]


def test_mail_that_still_stands_a_while_after_a_pause_is_a_fault(settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes = 0
    claim_tick("start")
    with clock.at(clock.now() - timedelta(hours=3)):
        put()
        pause_sending("Carla Cole")
    with clock.at(clock.now() - timedelta(minutes=20)):
        resume_sending("Carla Cole")
    assert bad(client) == ["mail_out"]


def test_migrations_that_wait_are_told(app: Flask, settings: Settings, client: FlaskClient) -> None:
    settings.keep_free_bytes = 0
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    assert "migrations" in bad(client)
    assert "database" not in bad(client)


@pytest.mark.engines("sqlite")
def test_a_locked_database_is_told_in_time(settings: Settings, client: FlaskClient) -> None:
    db.session.remove()
    db.engine.dispose()
    holder = sqlite3.connect(settings.data_dir / "helpdesk.sqlite3")
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    found = bad(client)
    took = time.monotonic() - began
    holder.close()
    assert "database" in found
    assert took < 30


def test_metrics_are_for_those_who_know_the_token(settings: Settings, client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404
    settings.metrics_token = SecretStr(TOKEN)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_metrics_tell_what_stands_in_the_tables(settings: Settings, client: FlaskClient) -> None:
    settings.metrics_token = SecretStr(TOKEN)
    with clock.at(clock.now() - timedelta(minutes=20)):
        put()
    claim_tick("start")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    value = dict(re.findall(r"^(helpdesk_\S+) (\S+)$", text, re.MULTILINE))
    assert value["helpdesk_database_up"] == "1.0"
    assert value['helpdesk_outbox{state="queued"}'] == "1.0"
    assert 1200 <= float(value["helpdesk_outbox_oldest_seconds"]) < 2000
    assert float(value["helpdesk_worker_last_tick"]) > 0


def test_everything_that_is_counted_is_counted_where_it_happens(
    app: Flask, settings: Settings, client: FlaskClient, cast: Cast, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(metrics.VARIABLE, raising=False)  # a command that ran in this process counted for many
    settings.metrics_token = SecretStr(TOKEN)
    use_server(app, smtp)
    with risen(client, 'helpdesk_mails_out_total{outcome="sent"}'):
        put()
        deliver_due("one")
    with risen(client, 'helpdesk_mails_in_total{outcome="accepted"}', 'helpdesk_tickets_opened_total{channel="email"}'):
        receive(letter())
        process_received()
    with risen(client, 'helpdesk_job_failures_total{job="test"}'), suppress(ValueError), noting("test"):
        raise ValueError("no")
    with risen(client, 'helpdesk_rate_limit_hits_total{limit="a limit of none"}'):
        hit("a limit of none")
    with risen(client, 'helpdesk_sign_in_failures_total{page="security.login"}'):
        form = {"email": "ann@example.org", "password": "wrong"}
        client.post("/desk/sign-in", data=form | {"csrf_token": token_in(client.get("/desk/sign-in").text)})


@transactional
def hit(name: str) -> None:
    """Pass a limit."""
    count(Limit(name, "", 0, 3600))


@contextmanager
def risen(client: FlaskClient, *names: str) -> Iterator[None]:
    """Each of these counters counts exactly one more."""
    before = counted(client)
    yield
    after = counted(client)
    assert {name: after.get(name, 0) - before.get(name, 0) for name in names} == dict.fromkeys(names, 1.0), after


def counted(client: FlaskClient) -> dict[str, float]:
    """Every counter, as a scrape tells it."""
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    return {name: float(value) for name, value in re.findall(r"^(helpdesk_\w+_total.*) (\S+)$", text, re.MULTILINE)}
