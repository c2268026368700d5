"""Every page, light and dark, wide and narrow: no violation that axe can find, nothing that sticks out."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext

from tests.looks.sample import Sample, sample_desk, signed_in
from tests.pages import DESK_PAGES, NO_PAGES, READER_PAGES, get_endpoints

pytestmark = pytest.mark.browser
SIZES = [(1440, 900), (390, 844)]
SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """The sample desk."""
    with sample_desk(tmp_path_factory.mktemp("sample")) as sample:
        yield sample


def test_every_page_is_on_the_list(app: Flask) -> None:
    assert get_endpoints(app) == READER_PAGES.keys() | DESK_PAGES.keys() | NO_PAGES


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
def test_no_page_has_a_barrier(sample: Sample, browser: Browser, size: tuple[int, int], scheme: str) -> None:
    options = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": scheme, "bypass_csp": True}
    readers, staff = browser.new_context(**options), signed_in(browser, sample.url, **options)
    found = faults(readers, sample, READER_PAGES) | faults(staff, sample, DESK_PAGES)
    readers.close()
    staff.close()
    assert found == {}


def test_no_page_breaks_its_own_policy_or_asks_a_third_party(sample: Sample, browser: Browser) -> None:
    context, said, asked = signed_in(browser, sample.url), [], set()
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.add("/".join(request.url.split("/")[:3])))
    for path in (READER_PAGES | DESK_PAGES).values():
        page.goto(sample.url + path(sample.world), wait_until="networkidle")
    context.close()
    assert said == []
    assert {origin for origin in asked if not origin.startswith("data:")} == {sample.url}


def faults(context: BrowserContext, sample: Sample, pages: dict) -> dict[str, object]:  # type: ignore[type-arg]
    """What is wrong on each page: rules of axe with their places, and sideways scrolling."""
    found: dict[str, object] = {}
    page = context.new_page()
    for endpoint, path in pages.items():
        answer = page.goto(sample.url + path(sample.world))
        assert (endpoint, answer.status if answer else 0) == (endpoint, 200)
        violations = [(v["id"], v["nodes"][0]["target"]) for v in Axe().run(page).response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            violations.append(("sideways", []))
        if violations:
            found[endpoint] = violations
    return found
