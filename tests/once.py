"""What each application works out when it begins, worked out once for the thousands of them in a process of tests.

None of it is ours: the functions that Werkzeug compiles for each route, and the code that Jinja compiles for each
template. Both depend on nothing but the text of the route or the template, and took half of the time of most tests.
Passwords are hashed in the same way as elsewhere, but cheaply.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_security import core
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

CHEAP = {"argon2__rounds": 1, "argon2__memory_cost": 64, "argon2__parallelism": 1}


class InMemory(BytecodeCache):
    """Compiled templates by their name and the digest of their text; a template that changed is compiled anew."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        found = self._compiled.get((bucket.key, bucket.checksum))
        if found is not None:
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def remember() -> None:
    """From now on every application of this process shares both, and spends little on a password."""
    Rule._compile_builder = remembered(Rule._compile_builder)  # type: ignore[method-assign]
    Flask.jinja_options = {"bytecode_cache": InMemory()}
    core._default_config["PASSWORD_HASH_PASSLIB_OPTIONS"] = CHEAP


def remembered(compile_builder: Callable[[Rule, bool], Any]) -> Callable[[Rule, bool], Any]:
    """The same function, which answers at once for a route that it has seen; what it returns is bound to each rule."""
    known: dict[object, Any] = {}

    def build(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in known:
            known[key] = compile_builder(rule, append_unknown)
        return known[key]

    return build
