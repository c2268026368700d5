"""Files of messages, always as downloads."""

from flask import g
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.views.lists import ID
from helpdesk.downloads import as_download
from helpdesk.tickets.queries import get_attachment


@blueprint.get(f"/files/<{ID}:file_id>/<name>")
@require("tickets.read")
def file(file_id: int, name: str) -> Response:
    """A file of a visible ticket."""
    found = get_attachment(file_id, g.agent)
    return as_download(found.storage_key, name=found.name, media_type=found.media_type)
