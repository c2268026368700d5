"""The partial of docs/hugo.md, built by a real Hugo."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.conftest import missing

GUIDE = Path(__file__).parents[1] / "docs" / "hugo.md"


def test_the_partial_links_every_article_to_the_contact_page(tmp_path: Path) -> None:
    page = build(tmp_path, settings=blocks("toml")[0])
    link = re.search(r'<a href="([^"]+)">Contact us</a>', page)
    assert link is not None, page
    address = urlsplit(link[1].replace("&amp;", "&"))
    assert (address.scheme, address.netloc, address.path) == ("https", "desk.example.org", "/contact")
    assert parse_qs(address.query) == {"url": ["https://blog.example.org/2026/br%C3%BCcke-50/"]}


def test_without_a_desk_the_partial_shows_nothing(tmp_path: Path) -> None:
    assert build(tmp_path, settings="").strip() == "<main></main>"


def build(folder: Path, *, settings: str) -> str:
    """A site with one article and the partial as the guide says; returns the article's page."""
    if shutil.which("hugo") is None:
        missing("hugo")
    partial, use = blocks("go-html-template")
    files = {
        "config.toml": f'baseURL = "https://blog.example.org/"\ntitle = "Blog"\n{settings}',
        "layouts/partials/contact-us.html": partial,
        "layouts/_default/single.html": f"<main>{use.strip()}</main>",
        "content/2026/bridge.md": '---\ntitle: "Bridge"\nslug: "brücke-50"\n---\nText.\n',
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    command = ["hugo", "--quiet", "--source", str(folder), "--cacheDir", str(folder / "cache")]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "public/2026/brücke-50/index.html").read_text()


def blocks(language: str) -> list[str]:
    """The code of this language in the guide, in order."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
