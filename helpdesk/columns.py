"""What columns hold: aware times, text that every engine can keep, words of a closed list."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, Enum, String, literal_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on every engine; a naive time is a mistake."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time reached the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class StorableText(TypeDecorator[str]):
    """Any text, on every engine: what one of them could not keep (NUL, half a surrogate pair) becomes U+FFFD."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """The text as every engine can keep it."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def one_of(enum: type[StrEnum], name: str) -> Enum:
    """The column type of a closed list of words, stored as text and held by a CHECK called `name`."""
    return Enum(enum, name=name, native_enum=False, create_constraint=True, length=32, values_callable=_values)


def word(member: StrEnum) -> ColumnElement[Any]:
    """A word of a closed list, written out: an index over a part of a table serves a statement that names the very
    part, not one with a parameter in its place.
    """
    return literal_column(f"'{member.value}'")


def _values(enum: type[StrEnum]) -> list[str]:
    return [member.value for member in enum]
