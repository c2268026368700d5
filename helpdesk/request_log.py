"""Each request: an id that is in all its log lines and in its answer, one access line, and its metrics."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from secrets import token_hex
from typing import Any

from flask import Flask, Response, g, request
from structlog.contextvars import bound_contextvars

from helpdesk import metrics
from helpdesk.logs import request_id

log = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
_GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_FACTS = "helpdesk.request"

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def init_app(app: Flask, *, trusted_proxies: int) -> None:
    """Watch every request, those too that no page answers."""
    app.after_request(_note)
    app.wsgi_app = Watched(app.wsgi_app, takes_ids=trusted_proxies > 0)  # type: ignore[method-assign]
    app.jinja_env.globals["request_id"] = request_id


class Watched:
    """The application, with a line and a count for each answer."""

    def __init__(self, application: Wsgi, *, takes_ids: bool) -> None:
        self.application, self.takes_ids = application, takes_ids

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started, statuses = time.perf_counter(), [500]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            statuses.append(int(status[:3]))
            return start_response(status, [*headers, ("X-Request-Id", name)], *rest)

        name = self._id_of(environ)
        with bound_contextvars(request_id=name):
            try:
                return self.application(environ, start)
            finally:
                _record(environ, statuses[-1], time.perf_counter() - started)

    def _id_of(self, environ: dict[str, Any]) -> str:
        given = str(environ.get("HTTP_X_REQUEST_ID", ""))
        return given if self.takes_ids and _GIVEN_ID.fullmatch(given) else token_hex(8)


def _note(response: Response) -> Response:
    """Keep what only Flask knows: never the path itself, whose segments may be tokens."""
    agent = g.get("agent")
    rule = request.url_rule.rule if request.url_rule else None
    request.environ[_FACTS] = (request.endpoint, rule, agent.id if agent is not None else None)
    return response


def _record(environ: dict[str, Any], status: int, seconds: float) -> None:
    endpoint, rule, agent_id = environ.get(_FACTS, (None, None, None))
    method = environ.get("REQUEST_METHOD", "")
    method = method if method in METHODS else "other"
    metrics.REQUESTS.labels(endpoint or "none", method, f"{status // 100}xx").inc()
    metrics.DURATION.labels(endpoint or "none", method).observe(seconds)
    facts = {"method": method, "route": rule, "status": status, "ms": round(seconds * 1000, 1), "agent_id": agent_id}
    log.info("request", extra=facts)
