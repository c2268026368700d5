"""GET /health/live, /health/ready and /metrics: for machines, without cookies, never kept by a cache."""

from hmac import compare_digest

from flask import Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from helpdesk import metrics
from helpdesk.access import public
from helpdesk.config import settings
from helpdesk.errors import NotFound
from helpdesk.health import blueprint
from helpdesk.health.gauges import Gauges
from helpdesk.health.readiness import WELL, reasons_against


@blueprint.get("/health/live")
@public
def live() -> Response:
    """The process answers; nothing else is looked at."""
    return _kept_nowhere(jsonify(status="ok"))


@blueprint.get("/health/ready")
@public
def ready() -> Response:
    """Each part by name, ok or not ok; 503 when one is not. Sending that somebody paused is told, and no fault."""
    parts = reasons_against(settings(), current_app.extensions["probe"])
    said = {name: (reason or "ok") if reason in WELL else "not ok" for name, reason in parts.items()}
    is_well = all(reason in WELL for reason in parts.values())
    answer = jsonify(status="ok" if is_well else "not ok", parts=said)
    answer.status_code = 200 if is_well else 503
    return _kept_nowhere(answer)


@blueprint.get("/metrics", endpoint="metrics")
@public
def show_metrics() -> Response:
    """Everything counted, for whoever knows the token; without a configured one there is no such page."""
    token = settings().metrics_token.get_secret_value()
    if not token:
        raise NotFound
    if not compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        return _kept_nowhere(Response("Say the token.\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain"))
    gauges = CollectorRegistry(auto_describe=False)
    gauges.register(Gauges(current_app.extensions["probe"]))
    return _kept_nowhere(
        Response(generate_latest(metrics.counts()) + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST)
    )


def _kept_nowhere(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
