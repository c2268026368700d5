"""What page templates must never hold: code or style of their own, or anything of a third party."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "templates"
MAILS = {ROOT / "emails"}
PAGES = [path for path in sorted(ROOT.rglob("*.html")) if not MAILS & set(path.parents)]
INLINE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", re.IGNORECASE)
UNSAFE = re.compile(r"\|\s*safe\b|Markup\(")
THIRD_PARTY = re.compile(r"(?:src|href|action)=[\"']?(?:https?:)?//", re.IGNORECASE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_holds_code_style_raw_html_or_a_third_party(path: Path) -> None:
    text = path.read_text()
    assert (INLINE.findall(text), UNSAFE.findall(text), THIRD_PARTY.findall(text)) == ([], [], [])


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.html")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_html_template_switches_escaping_off(path: Path) -> None:
    assert UNSAFE.findall(path.read_text()) == []
