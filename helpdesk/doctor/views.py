"""GET /health/proxy: tells the doctor, and nobody else, how a request looks when it has come through the proxies."""

from typing import Any

from flask import Blueprint, request

from helpdesk import tokens
from helpdesk.access import public
from helpdesk.doctor.probe import PATH, is_good
from helpdesk.errors import NotFound

blueprint = Blueprint("doctor", __name__)


@blueprint.get(PATH)
@public
def proxy() -> dict[str, Any]:
    """Who asks, over what, and how many proxies said so; 404 without the doctor's token."""
    if not is_good(tokens.keyring(), request.args.get("token", "")):
        raise NotFound
    entries = [entry for value in request.headers.getlist("X-Forwarded-For") for entry in value.split(",")]
    return {
        "remote": request.remote_addr,
        "scheme": request.scheme,
        "host": request.host,
        "forwarded": sum(1 for entry in entries if entry.strip()),
    }
