"""What the documents promise is there: every setting is explained, every link leads somewhere."""

import re
from pathlib import Path

import pytest

from helpdesk.cli import COMMANDS
from helpdesk.config import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
GOING_LIVE = (ROOT / "docs" / "going-live.md").read_text()


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `HELPDESK_([A-Z_]+)` \| (.+?) \|", GOING_LIVE, re.MULTILINE))
    assert sorted(rows) == sorted(name.upper() for name in Settings.model_fields)
    plain = {name: str(field.default) for name, field in Settings.model_fields.items() if is_plain(field.default)}
    assert {name: rows[name.upper()] for name in plain} == {name: f"`{value}`" for name, value in plain.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_documents_leads_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]+`", "", page.read_text())
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_documents_exists(page: Path) -> None:
    named = set(re.findall(r"(?:bin/|`|\$ )helpdesk ([a-z]+(?:-[a-z]+)?)", page.read_text()))
    assert named - set(COMMANDS) == set()


def is_plain(default: object) -> bool:
    """True for a default that is shown as it is: a number, or a word that is not empty."""
    return isinstance(default, int | str) and not isinstance(default, bool) and default != ""
