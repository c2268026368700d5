"""Folders, free disk, the store of files and the queue of jobs; what is tried there is removed again."""

import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import func, select, table
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import job_queue
from helpdesk.doctor.findings import PATIENCE_SECONDS, Checkup, Finding, bad, fine, look, reason_of
from helpdesk.file_stores import store_of

READABLE_BY_OTHERS = 0o077
PROBE_BYTES = 64
MEGABYTE = 1_000_000


def check_settings_file(checkup: Checkup) -> Iterator[Finding]:
    """The settings file holds keys and passwords, so it is ours alone."""
    file = checkup.settings_file
    if file is None or not file.is_file():
        return
    if file.stat().st_mode & READABLE_BY_OTHERS:
        yield bad("settings", f"Others can read {file}, which holds keys and passwords; run: chmod 600 {file}")
    else:
        yield fine("settings", f"Only its owner can read {file}.")


def check_folder(checkup: Checkup) -> Iterator[Finding]:
    """The data folder is there and takes files from us."""
    folder = checkup.settings.data_dir
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
        yield fine("folders", f"{folder} takes our files.")
    except OSError as error:
        said = error.strerror or type(error).__name__
        yield bad(
            "folders", f"{folder} takes no files from us: {said}; make it a folder that our account can write to."
        )


def check_disk(checkup: Checkup) -> Iterator[Finding]:
    """More room than HELPDESK_KEEP_FREE_BYTES."""
    folder, keep = checkup.settings.data_dir, checkup.settings.keep_free_bytes
    if not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    if free < keep:
        sentence = f"The disk of {folder} has {free // MEGABYTE} MB free, less than the {keep // MEGABYTE} MB of "
        yield bad("disk", sentence + "HELPDESK_KEEP_FREE_BYTES, so forms take no files: make room.")
    else:
        yield fine("disk", f"The disk of {folder} has more room than is kept free.")


def check_file_store(checkup: Checkup) -> Iterator[Finding]:
    """Put, get and delete a few bytes where files are kept."""
    settings, probe = checkup.settings, secrets.token_bytes(PROBE_BYTES)
    if not (settings.files_url or settings.data_dir.is_dir()):
        return  # told as a missing folder
    where = "the bucket of HELPDESK_FILES_URL" if settings.files_url else str(settings.data_dir / "files")
    try:
        store = store_of(settings)
        key = store.put(probe)
        is_same = store.get(key) == probe
        store.delete(key)
    except Exception as error:  # a store has many ways to refuse, and each means the same to the owner
        said = "it is not there" if isinstance(error, FileNotFoundError) else reason_of(error)
        yield bad("files", f"Files cannot be kept in {where}: {said}; check that it exists and is ours.")
        return
    if is_same:
        yield fine("files", f"Files can be kept in {where}, read and removed.")
    else:
        yield bad("files", f"What is kept in {where} comes back changed; check that store.")


def check_jobs(checkup: Checkup) -> Iterator[Finding]:
    """The queue of tasks can be read; losing it loses nothing, but slows the mail."""
    return _check_jobs_file(checkup) if checkup.is_sqlite else _check_jobs_tables(checkup)


def _check_jobs_file(checkup: Checkup) -> Iterator[Finding]:
    file = checkup.settings.data_dir / job_queue.FILE
    if not file.is_file():
        yield fine("jobs", "The queue of jobs is made when the desk starts.")
        return
    try:
        with closing(sqlite3.connect(file, timeout=PATIENCE_SECONDS)) as connection:
            connection.execute("SELECT count(*) FROM task").fetchone()
        yield fine("jobs", "The queue of jobs can be read.")
    except sqlite3.Error as error:
        sentence = f"The queue of jobs {file} cannot be read: {reason_of(error)}; restart the desk, which begins a new "
        yield look("jobs", sentence + "one and loses nothing.")


def _check_jobs_tables(checkup: Checkup) -> Iterator[Finding]:
    try:
        with checkup.engine.connect() as connection:
            has_tables = connection.scalar(select(func.to_regnamespace(job_queue.SCHEMA).is_not(None)))
            if has_tables:
                connection.execute(select(func.count()).select_from(table(job_queue.TASKS, schema=job_queue.SCHEMA)))
    except SQLAlchemyError as error:
        if getattr(error, "connection_invalidated", False) or "connect" in reason_of(error):
            return  # told as a database that cannot be reached
        yield bad("jobs", f"The queue of jobs cannot be read: {reason_of(error)}; give our account the schema "
                  f"{job_queue.SCHEMA}, or drop it and restart the desk.")  # fmt: skip
        return
    yield fine("jobs", "The queue of jobs can be read." if has_tables else
               "The queue of jobs is made when the desk starts.")  # fmt: skip
