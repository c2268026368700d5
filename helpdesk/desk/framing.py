"""A mail's HTML ready for its frame: cleaned, with the pictures that came along drawn from the mail itself."""

import base64
import re

from markupsafe import Markup

from helpdesk import files
from helpdesk.inbound.sanitising import clean_html
from helpdesk.tickets.messages import Message

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MOST_PICTURE_BYTES = 2 * 1024 * 1024
_CID = re.compile(r'src="cid:([^"]{1,300})"')


def framed_html(message: Message) -> Markup:
    """The body of a mail, harmless; a picture that is too large or not a picture stays blank."""
    pictures = {
        file.content_id: file
        for file in message.attachments
        if file.content_id and file.media_type in PICTURES and file.size <= MOST_PICTURE_BYTES
    }

    def source(match: re.Match[str]) -> str:
        file = pictures.get(match.group(1))
        if file is None:
            return 'src=""'
        try:
            encoded = base64.b64encode(files.get(file.storage_key)).decode()
        except OSError:  # gone, or its store is down: the mail can be read without its picture
            return 'src=""'
        return f'src="data:{file.media_type};base64,{encoded}"'

    return Markup(_CID.sub(source, clean_html(message.body_html or "")))  # noqa: S704 cleaned just before
