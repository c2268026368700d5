"""Files of messages, always as downloads."""

from io import BytesIO

from flask import g, send_file
from werkzeug.wrappers import Response

from helpdesk import files
from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.views.lists import ID
from helpdesk.headers import FILE_CSP
from helpdesk.tickets.queries import get_attachment
from helpdesk.uploads import OCTETS

NAMED_BY_TYPE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})


@blueprint.get(f"/files/<{ID}:file_id>/<name>")
@require("tickets.read")
def file(file_id: int, name: str) -> Response:
    """A file of a visible ticket."""
    found = get_attachment(file_id, g.agent)
    media_type = found.media_type if found.media_type in NAMED_BY_TYPE else OCTETS
    return as_download(files.get(found.storage_key), name=found.name, media_type=media_type)


def as_download(content: bytes, *, name: str, media_type: str) -> Response:
    """Bytes that a browser saves and never shows (RFC 6266)."""
    response = send_file(BytesIO(content), media_type, as_attachment=True, download_name=name)
    response.headers["Content-Security-Policy"] = FILE_CSP
    return response
