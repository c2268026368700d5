"""Files on their way out: always saved, never shown in our own pages."""

from io import BytesIO

from flask import send_file
from werkzeug.wrappers import Response

from helpdesk import files
from helpdesk.errors import NotFound, Unavailable
from helpdesk.headers import FILE_CSP
from helpdesk.uploads import OCTETS

NAMED_BY_TYPE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})


def as_download(storage_key: str, *, name: str, media_type: str) -> Response:
    """Stored bytes that a browser saves under `name` (RFC 6266). Raises NotFound when they are gone."""
    content = BytesIO(content_of(storage_key))
    named = media_type if media_type in NAMED_BY_TYPE else OCTETS
    response = send_file(content, named, as_attachment=True, download_name=name)
    response.headers["Content-Security-Policy"] = FILE_CSP
    return response


def content_of(storage_key: str) -> bytes:
    """Stored bytes. Raises NotFound when they are gone, Unavailable when nobody gives them out."""
    try:
        return files.get(storage_key)
    except FileNotFoundError as error:
        raise NotFound("This file is no longer kept.") from error
    except OSError as error:
        raise Unavailable("This file cannot be fetched just now. Try again in a minute.") from error
