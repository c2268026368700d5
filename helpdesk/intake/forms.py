"""A form that carries a mail, read so that every byte of the mail survives and a stranger fills no memory with it."""

from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import unquote_to_bytes

from flask import request
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from helpdesk.errors import Invalid
from helpdesk.intake.answers import MAX_BYTES

REQUEST_BYTES = 2 * MAX_BYTES  # a provider adds fields of its own, and codes the mail
PIECE_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024
TEXT_BYTES = 16 * 1024
NAME_BYTES = 1000
MOST_FIELDS = 1000
NO_FORM = "The request is no form, or it is cut off."

Piece = tuple[int, str, bytes]


@dataclass
class Form:
    """The fields that were asked for, each in a file, still coded when the form is."""

    is_coded: bool
    files: dict[str, IO[bytes]] = field(default_factory=dict)

    def whole(self, name: str, most: int = -1) -> bytes | None:
        """The bytes of a field, `most` of them if that is not negative; None when there is no such field."""
        if name not in self.files:
            return None
        self.files[name].seek(0)
        content = self.files[name].read(most)
        return unquote_to_bytes(content.replace(b"+", b" ")) if self.is_coded else content

    def text(self, name: str) -> str | None:
        """A short field; None when there is no such field."""
        content = self.whole(name, TEXT_BYTES)
        return None if content is None else content.decode(errors="replace")


@contextmanager
def read_form(wanted: Set[str]) -> Iterator[Form]:
    """The form of this request, of either kind (HTML, 4.10.21.7 and .8); of fields with one name the first.

    Raises Invalid when it is no form or ends too early, RequestEntityTooLarge when there is too much of it.
    """
    request.max_content_length = REQUEST_BYTES
    form = Form(is_coded=request.mimetype != "multipart/form-data")
    with ExitStack() as opened:
        try:
            _keep(form, wanted, opened)
        except ValueError as error:
            raise Invalid(NO_FORM) from error
        yield form


def _keep(form: Form, wanted: Set[str], opened: ExitStack) -> None:
    numbers: dict[str, int] = {}
    for number, name, content in _urlencoded() if form.is_coded else _multipart():
        if name not in wanted or numbers.setdefault(name, number) != number:
            continue
        if name not in form.files:
            form.files[name] = opened.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))  # noqa: SIM115 the stack closes it
        form.files[name].write(content)


def _pieces() -> Iterator[bytes]:
    return iter(partial(request.stream.read, PIECE_BYTES), b"")


def _multipart() -> Iterator[Piece]:
    """RFC 7578. Werkzeug's own form would decode the mail, and lose what is not UTF-8."""
    boundary = request.mimetype_params.get("boundary", "").encode()
    if not boundary:
        raise ValueError("no boundary")
    decoder = MultipartDecoder(boundary, IN_MEMORY_BYTES, max_parts=MOST_FIELDS)
    number, name = 0, ""
    for piece in chain(_pieces(), [None]):
        decoder.receive_data(piece)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Field | File):
                number, name = number + 1, event.name or ""
            elif isinstance(event, Data):
                yield number, name, event.data


def _urlencoded() -> Iterator[Piece]:
    number, head, name = 0, b"", None
    for piece in _pieces():
        for place, part in enumerate(piece.split(b"&")):
            if place:
                number, head, name = number + 1, b"", None
            content = part
            if name is None:
                head, is_named, content = (head + part).partition(b"=")
                name = unquote_to_bytes(head).decode(errors="replace") if is_named else None
            if len(head) > NAME_BYTES or number > MOST_FIELDS:
                raise ValueError("not a form")
            if name is not None:
                yield number, name, content
