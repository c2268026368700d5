"""Where tasks wait: shared by all processes of a desk, and never a reason not to start."""

import pytest
from huey import Huey

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.job_queue import FILE, InPostgresql, make_queue


def test_a_task_of_one_process_is_found_by_another(settings: Settings) -> None:
    web, worker = make_queue(settings), make_queue(settings)
    try:
        task = web.task(name="process")(lambda: None)
        worker.task(name="process")(lambda: None)
        task()
        found = worker.dequeue()
        assert found is not None
        assert found.name == "process"
        assert web.dequeue() is None
    finally:
        for queue in (web, worker):
            queue.storage.close()


@pytest.mark.engines("postgresql")
def test_tasks_wait_in_postgresql_when_the_database_is_there(settings: Settings) -> None:
    queue: Huey = make_queue(settings)
    assert isinstance(queue, InPostgresql)
    assert not (settings.data_dir / FILE).exists()
    queue.storage.close()


@pytest.mark.engines("sqlite")
def test_a_damaged_file_is_put_aside_and_a_new_one_begun(settings: Settings) -> None:
    file = settings.data_dir / FILE
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (settings.data_dir / name).unlink(missing_ok=True)
    file.write_bytes(b"no database at all" * 1000)
    app = create_app(settings)
    queue = app.extensions["huey"]
    queue.task(name="again")(lambda: None)()
    assert queue.pending_count() == 1
    assert file.with_name(f"{FILE}.damaged").read_bytes().startswith(b"no database")
    queue.storage.close()
