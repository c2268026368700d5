"""Bounces and complaints that a mail service tells as JSON in a mail, as Amazon SES does through its notifications."""

import json
from typing import Any

from helpdesk.inbound.reports import Fields, Report

NOTICE_CHARACTERS = 100_000
RECIPIENTS = 50

_STATUS_OF_TYPE = {"Permanent": "5.0.0", "Transient": "4.0.0"}


def read_notice(text: str) -> Report | None:
    """The report that a mail's text is, or None; the names are those of SES notifications."""
    said = _object(text)
    inner = said.get("Message")
    said = _object(inner) if isinstance(inner, str) else said
    kind = said.get("notificationType") or said.get("eventType")
    if kind == "Bounce":
        groups = _failed(_dictionary(said.get("bounce")))
        return Report("delivery-status", groups, _returned(said)) if groups else None
    if kind == "Complaint":
        return Report("feedback-report", (_complaint(said),), _returned(said))
    return None


def _object(text: str) -> dict[str, Any]:
    """The JSON object that the text begins with, or an empty one. Old servers broke long lines by "!"."""
    if not text[:20].lstrip().startswith("{"):
        return {}
    try:
        found, _ = json.JSONDecoder().raw_decode(text[:NOTICE_CHARACTERS].lstrip().replace("!\n ", ""))
    except (ValueError, RecursionError):
        return {}
    return _dictionary(found)


def _dictionary(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _failed(bounce: dict[str, Any]) -> tuple[Fields, ...]:
    status = _STATUS_OF_TYPE.get(str(bounce.get("bounceType")), "5.0.0")
    named = bounce.get("bouncedRecipients")
    recipients = [_dictionary(one) for one in named[:RECIPIENTS]] if isinstance(named, list) else []
    return tuple(
        (
            ("final-recipient", str(one.get("emailAddress", ""))),
            ("action", "failed"),
            ("status", str(one.get("status") or status)),
            ("diagnostic-code", str(one.get("diagnosticCode") or "")),
        )
        for one in recipients
    )


def _complaint(said: dict[str, Any]) -> Fields:
    """What RFC 5965 §3 would say: of `mail.source`, the envelope's sender, too."""
    named = _dictionary(said.get("complaint")).get("complainedRecipients")
    recipients = [_dictionary(one) for one in named[:1]] if isinstance(named, list) else []
    return (
        ("feedback-type", "abuse"),
        ("original-mail-from", str(_dictionary(said.get("mail")).get("source") or "")),
        *(("original-rcpt-to", str(one.get("emailAddress") or "")) for one in recipients),
    )


def _returned(said: dict[str, Any]) -> Fields:
    headers = _dictionary(said.get("mail")).get("headers")
    named = [_dictionary(one) for one in headers[:RECIPIENTS]] if isinstance(headers, list) else []
    return tuple((str(one.get("name", "")).lower(), str(one.get("value", ""))) for one in named)
