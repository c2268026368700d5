"""Live, ready, and what is counted, asked as a machine asks."""

import re
import sqlite3
import time
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from helpdesk import clock
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.outbound.pausing import pause_sending, resume_sending
from helpdesk.ticks import claim_tick
from tests.letters import put

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
