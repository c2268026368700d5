"""A publication's own colour, as a style sheet of one rule for light pages and one for dark ones."""

import re

from flask import Response

from helpdesk.access import public
from helpdesk.contact import blueprint
from helpdesk.contrast import paler
from helpdesk.errors import NotFound

DARK = "#1a2a36"
RULE = ":root{--accent:%s}@media (prefers-color-scheme:dark){:root{--accent:%s}}\n"
_HEX = re.compile(r"[0-9a-f]{6}")
A_YEAR = 365 * 24 * 60 * 60


@blueprint.get("/accent/<string(length=6):colour>.css")
@public
def accent(colour: str) -> Response:
    """The same for ever, since the address says all."""
    if not _HEX.fullmatch(colour):
        raise NotFound
    answer = Response(RULE % (f"#{colour}", paler(f"#{colour}", on=DARK)), content_type="text/css; charset=utf-8")
    answer.cache_control.public, answer.cache_control.max_age, answer.cache_control.immutable = True, A_YEAR, True
    return answer
