"""`python -m tests.pictures`: every page in light and dark, wide and narrow, on one sheet in docs/pictures."""

import base64
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.live import chromium
from tests.looks.sample import Sample, sample_desk, signed_in
from tests.pages import DESK_PAGES, READER_PAGES

FOLDER = Path(__file__).parents[1] / "docs/pictures"
VIEWS = [(1440, 900, "light"), (1440, 900, "dark"), (390, 844, "light"), (390, 844, "dark")]
FOR_THE_README = {"desk.ticket": "desk.png", "contact.show_form": "contact.png"}


def main() -> None:
    """Take all pictures anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sample_desk(Path(folder)) as sample, chromium() as browser:
        taken = {view: take(browser, sample, *view) for view in VIEWS}
        for endpoint, name in FOR_THE_README.items():
            (FOLDER / name).write_bytes(taken[VIEWS[0]][endpoint])
        page = browser.new_page(viewport={"width": 2000, "height": 1000})
        page.set_content(sheet(taken))
        page.screenshot(path=FOLDER / "sheet.jpg", full_page=True, type="jpeg", quality=70)


def take(browser: Browser, sample: Sample, width: int, height: int, scheme: str) -> dict[str, bytes]:
    """A picture of each page at one size and in one scheme."""
    context = signed_in(browser, sample.url, viewport={"width": width, "height": height}, color_scheme=scheme)
    page, pictures = context.new_page(), {}
    for endpoint, path in (READER_PAGES | DESK_PAGES).items():
        page.goto(sample.url + path(sample.world), wait_until="networkidle")
        pictures[endpoint] = page.screenshot()
    context.close()
    return pictures


def sheet(taken: dict[tuple[int, int, str], dict[str, bytes]]) -> str:
    """All pictures as one page, a row for each address."""
    rows = []
    for endpoint in taken[VIEWS[0]]:
        images = "".join(
            f'<img src="data:image/png;base64,{base64.b64encode(taken[view][endpoint]).decode()}">' for view in VIEWS
        )
        rows.append(f"<h2>{endpoint}</h2><div>{images}</div>")
    style = "body{font:16px sans-serif;background:#888}div{display:flex;gap:12px}img{height:480px}h2{margin:12px 0 4px}"
    return f"<style>{style}</style>{''.join(rows)}"


if __name__ == "__main__":
    main()
