"""How long pages and posts take, each as a ratio to the static page or the bare insert in the same rounds."""

import random
import re
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from sqlalchemy import create_engine, text

from benchmarks.corpus import PAGE_WORD, RARE_WORD, Prose
from benchmarks.databases import Place
from benchmarks.driving import Answer, Browser, Timing, contact_form, form_tokens, posted, reply_form, timed
from benchmarks.figures import Figure

ROUNDS = 5
TIMES = 40
WARM_UP = 12
POSTS = 60
CROWD = 8
CROWD_POSTS = 240
CROWD_ROUNDS = 3
REPLIES = 25
SLOWER_THAN_A_MACHINE_SECONDS = 3.5
_NUMBER = re.compile(r'class="row-subject" href="/desk/tickets/(\d+)')


class Clockwork:
    """Ann's browser at the desk, a browser at the floor, and the rounds between them."""

    def __init__(self, place: Place, *, desk: int, floor: int) -> None:
        self.place, self.desk_port, self.floor_port = place, desk, floor
        self.ann, self.control = Browser(desk), Browser(floor)
        self.chance = random.Random(7)  # noqa: S311 the same each time is what is wanted
        self.prose = Prose(self.chance)
        self.engine = create_engine(place.run.database_uri)
        self.ann.sign_in()

    def queue_page(self) -> Figure:
        """A list of 50 tickets."""
        return self._page("queue page of 50", "/desk/open", budget=8)

    def short_ticket(self) -> Figure:
        """A ticket of 5 messages, opened from its list."""
        return self._page("ticket of 5 messages", f"/desk/tickets/{self.place.tickets - 1}?in=open", budget=8)

    def long_ticket(self) -> Figure:
        """A ticket of 200 messages, opened from its list."""
        return self._page("ticket of 200 messages", f"/desk/tickets/{self.place.tickets}?in=open", budget=18)

    def search(self) -> Figure:
        """A word in one of a thousand messages."""
        return self._page("search, 0.1 % of messages", f"/desk/search?q={RARE_WORD}", budget=9)

    def search_page(self) -> Figure:
        """A word that fills the page of results whatever the size of the database."""
        return self._page("search, 60 messages", f"/desk/search?q={PAGE_WORD}", budget=9)

    def form_page(self) -> Figure:
        """The contact form, shown to a reader."""
        reader = Browser(self.desk_port)
        return self._ratio("form page", partial(timed, partial(reader.get, "/contact"), times=TIMES), budget=None)

    def form_post(self) -> Figure:
        """One reader after the other sends the form."""
        forms = self._forms(ROUNDS * POSTS)
        return self._ratio("form post, one client", lambda: self._post(forms, POSTS, clients=1), budget=4)

    def crowd(self) -> Figure:
        """Eight readers send forms at once; the bare insert takes turns with the desk."""
        forms, shares, lines = self._forms(CROWD_ROUNDS * CROWD_POSTS), [], []
        for _ in range(CROWD_ROUNDS):
            bare = posted(self.floor_port, "/insert", self._unsent(CROWD_POSTS), clients=CROWD)
            ours = self._post(forms, CROWD_POSTS, clients=CROWD)
            shares.append(100 * ours.rate / bare.rate)
            lines.append((ours.rate, bare.rate))
        ours_rate, bare_rate = (median(column) for column in zip(*lines, strict=True))
        detail = f"{ours_rate:.0f} of {bare_rate:.0f} posts/s"
        return Figure("form posts of 8 clients, of the bare insert", median(shares), "%", 70, True, detail)

    def reply(self) -> Figure:
        """Ann answers one reader after the other."""
        numbers = _NUMBER.findall(self.ann.get("/desk/open").body)[: 2 * REPLIES]
        turns = iter(numbers * ROUNDS)
        return self._ratio("reply", lambda: self._replies([next(turns) for _ in range(REPLIES)]), budget=5)

    def _page(self, name: str, path: str, *, budget: float) -> Figure:
        ask: Callable[[], Answer] = partial(self.ann.get, path)
        timed(ask, times=WARM_UP)
        return self._ratio(name, partial(timed, ask, times=TIMES), budget=budget)

    def _ratio(self, name: str, block: Callable[[], Timing], *, budget: float | None) -> Figure:
        """Control, page, control, page …; the middle ratio, with the middle p50 and p99 in ms."""
        ratios, floors, blocks = [], [], []
        for _ in range(ROUNDS):
            floors.append(timed(partial(self.control.get, "/"), times=TIMES))
            blocks.append(block())
            ratios.append(blocks[-1].p50 / floors[-1].p50)
        p50, p99 = (1000 * median(getattr(one, name) for one in blocks) for name in ("p50", "p99"))
        floor = 1000 * median(one.p50 for one in floors)
        return Figure(name, median(ratios), "×", budget, detail=f"{p50:.1f} / {p99:.1f} ms; floor {floor:.1f} ms")

    def _replies(self, numbers: list[str]) -> Timing:
        pages = [(number, self.ann.get(f"/desk/tickets/{number}?in=open").body) for number in numbers]
        able = [(number, page) for number, page in pages if 'id="reply-form"' in page]
        sends = iter([(f"/desk/tickets/{number}/reply?in=open", page) for number, page in able])

        def send() -> Answer:
            path, page = next(sends)
            return self.ann.post(path, reply_form(page, self.prose.text()))

        return timed(send, times=len(able), status=303)

    def _post(self, forms: list[dict[str, str]], count: int, *, clients: int) -> Timing:
        """Send some of the forms; a new hour begins before, so that none is filed as one too many."""
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM rate_count"))
        some = [forms.pop() for _ in range(count)]
        return posted(self.desk_port, "/contact", some, clients=clients)

    def _forms(self, count: int) -> list[dict[str, str]]:
        """Forms with tokens of pages that were opened long enough ago for a person to have written."""
        forms = self._unsent(count)
        for form, token in zip(forms, form_tokens(self.desk_port, count), strict=True):
            form["token"] = token
        time.sleep(SLOWER_THAN_A_MACHINE_SECONDS)
        return forms

    def _unsent(self, count: int) -> list[dict[str, str]]:
        readers = max(1, self.place.tickets // 3)
        return [contact_form(self.chance, body=self.prose.text(), readers=readers) for _ in range(count)]
