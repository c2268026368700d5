"""Placeholders: a closed list, replaced once, never evaluated."""

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.canned_replies.filling import PLACEHOLDERS, fill, left_over, unknown_placeholders

VALUES = {"reader_name": "Ruth", "article_title": "", "agent_name": "{site_name}", "site_name": "The Post"}


def test_listed_placeholders_are_filled_once() -> None:
    assert fill("Dear {reader_name}, {agent_name} of {site_name}", VALUES) == "Dear Ruth, {site_name} of The Post"


def test_a_placeholder_without_a_value_stays_and_is_told() -> None:
    filled = fill("About {article_title}", VALUES)
    assert (filled, left_over(filled)) == ("About {article_title}", ["article_title"])


def test_class_44_nothing_is_evaluated() -> None:
    body = "{{7*7}} ${7*7} {0.__class__} {% x %} {reader_name.__class__} {config}"
    assert fill(body, VALUES) == body
    assert unknown_placeholders(body) == ["7*7", "7*7", "0.__class__", "% x %", "reader_name.__class__", "config"]


@given(st.text(), st.dictionaries(st.sampled_from(sorted(PLACEHOLDERS)), st.text()))
def test_any_text_is_filled_without_fault(body: str, values: dict[str, str]) -> None:
    assert isinstance(fill(body, values), str)
