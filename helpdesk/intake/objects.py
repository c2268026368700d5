"""JSON from outside: one object, or a sentence that it is none."""

import json
from typing import Any

from helpdesk.errors import Invalid


def read_object(text: bytes | str, *, otherwise: str) -> dict[str, Any]:
    """The object that a text holds (RFC 8259). Raises Invalid, saying `otherwise`, when it holds none."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(otherwise) from error
    if not isinstance(said, dict):
        raise Invalid(otherwise)
    return said


def within(said: Any, *names: str) -> Any:
    """What stands under one name within another; None when there is no such thing."""
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said
