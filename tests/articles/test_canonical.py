"""One address for one page, and which addresses are a site's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.articles.canonical import belongs_to, canonical_url

PAGE = "https://blog.example.org/2026/bridge/"


@pytest.mark.parametrize(
    "url",
    [
        "https://blog.example.org/2026/bridge/",
        "http://blog.example.org/2026/bridge/",
        "https://BLOG.Example.ORG:443/2026/bridge/",
        "http://blog.example.org:80/2026/bridge/index.html",
        "https://blog.example.org/2026/bridge/?utm_source=x&fbclid=y&gclid=z&mc_cid=1",
        "https://blog.example.org/2026/bridge/#comments",
        "https://blog.example.org./2026/bridge/",
        "https://user:secret@blog.example.org/2026/bridge/",
        "https://blog.example.org/2026/bridge/amp/",
        "  https://blog.example.org/2026/bridge/  ",
    ],
)
def test_one_page_has_one_address(url: str) -> None:
    assert canonical_url(url) == PAGE


def test_what_names_the_page_stays() -> None:
    assert canonical_url("https://blog.example.org/p?id=7&utm_medium=mail") == "https://blog.example.org/p?id=7"
    assert canonical_url("http://127.0.0.1:5080/a/") == "http://127.0.0.1:5080/a/"
    assert canonical_url("https://bücher.example/") == "https://xn--bcher-kva.example/"


@pytest.mark.parametrize(
    "url", ["", "bridge", "javascript:alert(1)", "file:///etc/passwd", "https://", "https://a b/", "https://x:99999/",
            "https://blog.example.org/\nBcc: x", "https://blog.example.org/" + "a" * 8000, "//blog.example.org/", "https://[::1"],
)  # fmt: skip
def test_what_is_no_page_has_no_address(url: str) -> None:
    assert canonical_url(url) is None


@pytest.mark.parametrize(
    ("url", "length"),
    [
        (PAGE, len("https://blog.example.org/")),
        ("https://blog.example.org", len("https://blog.example.org/")),
        ("https://blog.example.org.evil.example/2026/", 0),
        ("https://evil.example/https://blog.example.org/", 0),
        ("https://evilblog.example.org/", 0),
        ("https://blog.example.org@evil.example/", 0),
    ],
)
def test_class_24_a_lookalike_host_is_not_ours(url: str, length: int) -> None:
    assert belongs_to(canonical_url(url) or "", ["https://blog.example.org/"]) == length


def test_the_longest_prefix_wins_and_ends_at_a_boundary() -> None:
    prefixes = ["https://example.org/", "https://example.org/de/"]
    assert belongs_to("https://example.org/de/seite", prefixes) == len(prefixes[1])
    assert belongs_to("https://example.org/democracy", prefixes) == len(prefixes[0])


@given(st.text())
def test_any_text_is_read_without_fault_and_only_once(url: str) -> None:
    once = canonical_url(url)
    assert once is None or canonical_url(once) == once
