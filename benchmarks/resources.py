"""Memory, cold start, and what a first visit weighs."""

import gzip
import re
import threading
import time
from pathlib import PurePosixPath
from statistics import median

from benchmarks.databases import Place
from benchmarks.driving import Browser, expect
from benchmarks.figures import Figure
from benchmarks.serving import UP, Server, caught_mail, desk, floor
from benchmarks.timings import CROWD, CROWD_POSTS, Clockwork

STARTS = 3
SETTLE_SECONDS = 3
LOOK_EVERY_SECONDS = 0.2
MEMORY_MB, COLD_START, DESK_KB, READER_KB = 250, 4, 120, 15
_ASSETS = re.compile(r'(?:<link rel="stylesheet" href|<script[^>]* src)="([^"]+)"')
_STYLES = re.compile(r'<link rel="stylesheet" href="([^"]+)"')
_IMPORTS = re.compile(r'^import[^;]*?["\'](\.[^"\']+)["\']', re.MULTILINE)


def memory(place: Place) -> list[Figure]:
    """PSS of web and worker together: idle, and while eight readers send forms and their receipts go out."""
    with caught_mail() as smtp, desk(place, command=UP, smtp_port=smtp) as server, floor(place) as control:
        clockwork = Clockwork(place, desk=server.port, floor=control.port)
        for path in ("/desk/open", f"/desk/tickets/{place.tickets}?in=open", "/contact"):
            expect(clockwork.ann.get(path), 200)
        time.sleep(SETTLE_SECONDS)
        idle = server.memory()
        loaded = _highest(server, clockwork)
    return [
        Figure("memory, web and worker, idle", idle, "MB", MEMORY_MB, detail="PSS of all processes"),
        Figure("memory, the same with 8 clients posting", loaded, "MB", detail="highest"),
    ]


def cold_start(place: Place) -> Figure:
    """From the start command to the first answered page, against Flask alone; they take turns."""
    desks, floors = [], []
    for _ in range(STARTS):
        floors.append(_seconds_to_start(place, bare=True))
        desks.append(_seconds_to_start(place, bare=False))
    value, detail = median(desks) / median(floors), f"{median(desks):.2f} s; floor {median(floors):.2f} s"
    return Figure("cold start", value, "×", COLD_START, detail=detail)


def weights(place: Place, browser: Browser) -> list[Figure]:
    """What a first visit takes over the wire with gzip: the desk with all scripts, a reader's page with its style."""
    page = expect(browser.get("/desk/open"), 200).content
    ticket = expect(browser.get(f"/desk/tickets/{place.tickets - 1}?in=open"), 200).content
    form = expect(browser.get("/contact"), 200).content
    desk_assets = _all_assets(browser, ticket.decode())
    reader_styles = _STYLES.findall(form.decode())
    kept = sum(_gzipped(browser.get(path).content) for path in desk_assets)
    styles = sum(_gzipped(browser.get(path).content) for path in reader_styles)
    return [
        Figure("queue page, first visit", (_gzipped(page) + kept) / 1000, "kB", DESK_KB, detail="gzip, all assets"),
        Figure("ticket of 5, first visit", (_gzipped(ticket) + kept) / 1000, "kB", DESK_KB, detail="gzip, all assets"),
        Figure("form, first visit", (_gzipped(form) + styles) / 1000, "kB", READER_KB, detail="gzip, HTML and CSS"),
    ]


def _highest(server: Server, clockwork: Clockwork) -> float:
    forms = clockwork._forms(CROWD_POSTS)
    seen, done = [server.memory()], threading.Event()

    def look() -> None:
        while not done.wait(LOOK_EVERY_SECONDS):
            seen.append(server.memory())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        clockwork._post(forms, CROWD_POSTS, clients=CROWD)
    finally:
        done.set()
        watcher.join()
    return max(seen)


def _seconds_to_start(place: Place, *, bare: bool) -> float:
    began = time.perf_counter()
    with floor(place, inserts=False) if bare else desk(place):
        return time.perf_counter() - began


def _all_assets(browser: Browser, page: str) -> list[str]:
    """The style sheets and scripts of a page, and the modules that those import, each once."""
    waiting, found = _ASSETS.findall(page), []
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.append(path)
            folder = PurePosixPath(path.partition("?")[0]).parent
            waiting += [str(folder / name) for name in _IMPORTS.findall(expect(browser.get(path), 200).body)]
    return found


def _gzipped(content: bytes) -> int:
    return len(gzip.compress(content, 6)) if content[:2] != b"\x1f\x8b" else len(content)
