"""One press of Send: the token, where it came from, the files with it, and what is wrong with any of that."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import request

from helpdesk import files, uploads
from helpdesk.config import settings
from helpdesk.contact.form_token import FormToken, read_form_token
from helpdesk.contact.forms import MOST_MESSAGE, MOST_SUGGESTION, ReaderForm
from helpdesk.contact.origin import is_from_here
from helpdesk.errors import HelpdeskError, Invalid, NoRoom
from helpdesk.sites.models import Site
from helpdesk.tickets.messages import Attachment
from helpdesk.tickets.quota import refuse_files
from helpdesk.tickets.uploads import CHOOSE_AGAIN, drop_upload, keep_uploads, kept_uploads
from helpdesk.uploads import StoredFile

EXPIRED = "This page had been open for a long time. Nothing is lost: press Send again."
ELSEWHERE = "This was sent from a page of another site. Look it over and press Send once more."


@dataclass
class Submission:
    """What came with a form beside its fields."""

    token: FormToken
    trouble: str | None
    is_from_here: bool
    kept: Sequence[Attachment] = ()
    new: list[tuple[str, bytes]] = field(default_factory=list)
    file_problems: list[str] = field(default_factory=list)
    stored: tuple[StoredFile, ...] = ()

    @property
    def is_sound(self) -> bool:
        """True when nothing but the fields can be wrong."""
        return self.trouble is None and not self.file_problems

    @property
    def upload_token(self) -> str | None:
        """Under which the kept files wait, if there are any."""
        return self.token.submission_key if self.kept else None

    def store(self) -> tuple[StoredFile, ...]:
        """Make the new files durable."""
        self.stored = tuple(uploads.store(name, content) for name, content in self.new)
        return self.stored

    def take_back(self, problem: HelpdeskError) -> None:
        """It could not be taken in: leave no byte of its files behind, and say why on the page."""
        for file in self.stored:
            files.delete(file.storage_key)
        self.stored = ()
        if isinstance(problem, NoRoom):
            self.new.clear()
            self.file_problems.append(problem.message)
        else:
            self.trouble = problem.message

    def content_hash(self, *fields: str) -> str:
        """The same for the same words and files; kept files stay out, since the first send takes them over."""
        digests = [hashlib.sha256(content).hexdigest() for _, content in self.new]
        return hashlib.sha256(json.dumps([fields, digests]).encode()).hexdigest()


def read_submission(site: Site, *, hides_origin: bool = False) -> Submission:
    """Read token, origin and files of this request; nothing is stored yet."""
    from_here = is_from_here(hides_origin=hides_origin)
    token = read_form_token(site, request.form.get("token", ""))
    trouble = None if from_here else ELSEWHERE
    if token is None or token.is_expired:
        trouble = trouble or EXPIRED
    submission = Submission(token or FormToken(site.id), trouble, from_here)
    if from_here:
        _read_files(submission)
    elif _sent_files():
        submission.file_problems.append(CHOOSE_AGAIN)
    return submission


def problems(form: ReaderForm, submission: Submission | None) -> dict[str, list[str]]:
    """What is wrong, by field, in the order of the page; nothing before the first send."""
    if submission is None:
        return {}
    found = {**form.errors, "files": submission.file_problems}
    return {name: found[name] for name in form.field_order if found.get(name)}


def limits() -> dict[str, int]:
    """What the page tells before anybody chooses or types; sizes in bytes, lengths in characters."""
    sizes = {"max_files": settings().max_files, "max_file_bytes": settings().max_file_bytes}
    return sizes | {"message": MOST_MESSAGE, "suggestion": MOST_SUGGESTION}


def keep_for_next_time(site: Site, submission: Submission) -> None:
    """Keep the good files while the reader corrects the form; foreign posts leave nothing behind."""
    if submission.is_from_here:
        key = submission.token.submission_key
        if submission.new:
            _keep(site, key, submission)
        submission.kept = kept_uploads(key)


def _keep(site: Site, key: str, submission: Submission) -> None:
    stored = submission.store()
    try:
        keep_uploads(site, upload_token=key, stored=stored, remote_address=request.remote_addr or "")
    except NoRoom as problem:
        submission.take_back(problem)


def _read_files(submission: Submission) -> None:
    if "kept" in request.form:
        submission.kept = _kept_but_removed(submission.token.submission_key)
    for name, content in _sent_files():
        try:
            uploads.check(name, content, max_bytes=settings().max_file_bytes)
        except Invalid as problem:
            submission.file_problems.append(problem.message)
        else:
            submission.new.append((name, content))
    room = settings().max_files - len(submission.kept)
    if len(submission.new) > room:
        submission.file_problems.append(f"Send at most {settings().max_files} files. Remove some.")
        del submission.new[max(room, 0) :]
    _refuse_beyond_quota(submission)


def _refuse_beyond_quota(submission: Submission) -> None:
    """Asked before a byte is written; the text may still be sent, without these files."""
    try:
        refuse_files([len(content) for _, content in submission.new], remote_address=request.remote_addr or "")
    except NoRoom as problem:
        submission.take_back(problem)


def _kept_but_removed(key: str) -> Sequence[Attachment]:
    """The kept files, without those whose removal was ticked."""
    unwanted = set(request.form.getlist("remove"))
    removed = [file for file in kept_uploads(key) if str(file.id) in unwanted]
    for file in removed:
        drop_upload(file)
    return kept_uploads(key)


def _sent_files() -> list[tuple[str, bytes]]:
    """Name and bytes of each file; browsers send a nameless part when none was chosen."""
    return [(part.filename, part.read()) for part in request.files.getlist("files") if part.filename]
