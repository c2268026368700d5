"""The language of the search box: what is understood, and which tickets it finds."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import Invalid, NotFound
from helpdesk.tickets import lists, triage
from helpdesk.tickets.excerpts import excerpt
from helpdesk.tickets.filters import Filter, Key, Term, read_filter
from helpdesk.tickets.messages import Attachment
from helpdesk.tickets.models import Resolution, Then, Ticket
from helpdesk.tickets.replying import reply
from helpdesk.tickets.words import Wanted, wanted_in
from tests.cast import Cast
from tests.factories import make_ticket

SCRAPS = [*'ab:"- \n#*é', "is", "is:", "tag:", "from:", '"x y"', '-tag:"a b"', "foo:bar"]


def found(query: str, agent: Agent) -> list[int]:
    return [ticket.number for ticket in lists.list_found(read_filter(query), agent).tickets]


def test_questions_phrases_and_words_are_told_apart() -> None:
    asked = read_filter('is:open Topic:"A mistake" from:ruth@example.com -tag:done http://x/y "exact words" 12:30 more')
    assert asked == Filter(
        terms=(
            Term(Key.IS, "open"),
            Term(Key.TOPIC, "A mistake"),
            Term(Key.READER, "ruth@example.com"),
            Term(Key.TAG, "done", negated=True),
        ),
        words=("http://x/y", "12:30", "more"),
        phrases=("exact words",),
    )


@given(st.lists(st.sampled_from(SCRAPS), max_size=30).map("".join))
def test_a_filter_that_is_written_down_is_read_as_the_same(text: str) -> None:
    asked = read_filter(text)
    assert read_filter(str(asked)) == asked


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("#12", 12), ("12 bridges", None), ("is:open 12", None)])
def test_a_number_alone_is_a_ticket(text: str, number: int | None) -> None:
    assert read_filter(text).number == number


def test_the_last_word_and_starred_ones_need_only_begin_so() -> None:
    asked = read_filter('"Harbour Bridge" stee* plaque ol')
    assert wanted_in(asked) == [
        Wanted(("harbour", "bridge")),
        Wanted(("stee",), is_prefix=True),
        Wanted(("plaque",)),
        Wanted(("ol",)),  # two letters would begin half of all words
    ]


def test_is_asks_where_a_ticket_stands(cast: Cast) -> None:
    new, mine, pending, corrected, spam = (make_ticket(cast, body=f"Message {n}").number for n in range(5))
    triage.take(get(mine), by=cast.ann)
    reply(get(pending), body="Which one?", by=cast.ann, then=Then.WAIT)
    triage.close(get(corrected), resolution=Resolution.CORRECTED, by=cast.ann)
    triage.mark_spam(get(spam), by=cast.ann)
    asked = {
        "is:open": [new, mine], "is:new": [new], "is:mine": [mine], "is:unassigned": [new], "is:waiting": [new, mine],
        "is:pending": [pending], "is:closed": [corrected], "is:corrected": [corrected], "is:no-action": [],
        "is:spam": [spam], "is:snoozed": [], "-is:open": [pending, spam, corrected],
        "is:open sort:newest": [mine, new], "is:Open": [new, mine], "is:open &": [new, mine], "is:open -is:new": [mine],
    }  # fmt: skip
    assert {query: found(query, cast.ann) for query in asked} == asked


def test_whose_and_about_what_a_ticket_is(cast: Cast) -> None:
    bridge = make_ticket(cast, body="Bridge").number
    other = make_ticket(
        cast, body="Tide", address="ben@Sea.example", name="Ben Ünal",
        article_url="https://blog.example.org/code-report/tides_100%/", topic=None,
    ).number  # fmt: skip
    get(bridge).article.title = "The bridge that took ten years"  # type: ignore[union-attr]
    db.session.commit()
    triage.add_tag(get(bridge), name="History", by=cast.eve)
    triage.assign(get(bridge), assignee=cast.eve, by=cast.eve)
    asked = {
        "topic:mistake": [bridge], 'topic:"in the text"': [bridge], "-topic:mistake": [other], "tag:history": [bridge],
        "tag:HISTORY": [bridge], "tag:hist": [], "-tag:history": [other], "assignee:eve": [bridge],
        "assignee:me": [bridge], "assignee:none": [other], "reader:ruth@example.com": [bridge], "reader:ben": [other], "reader:ÜNAL": [other], "-reader:ben": [bridge],
        "from:@sea.example": [other], "reader:RUTH@EXAMPLE.COM": [bridge], "article:/code-report/": [other],
        "article:took": [bridge], "article:100%": [other], "article:/tides_": [other], "article:/t_des": [],
        "article:https://blog.example.org/2026/harbour-bridge/?utm_source=x": [bridge], "site:tidewater": [bridge, other],
        "queue:read": [bridge, other], "queue:legal": [], "priority:normal": [bridge, other], "priority:urgent": [],
        "topic:mistake tide": [], "topic:mistake bridge": [bridge],
    }  # fmt: skip
    assert {query: sorted(found(query, cast.eve)) for query in asked} == asked


def test_when_it_was_opened_is_asked_in_the_agents_own_days(cast: Cast) -> None:
    cast.ann.timezone = "Pacific/Auckland"
    db.session.commit()
    with clock.at(datetime(2026, 10, 31, 12, 0, tzinfo=UTC)):  # 1 November in Auckland
        ticket = make_ticket(cast).number
    asked = {
        "after:2026-11-01": [ticket],
        "before:2026-11-01": [],
        "after:2026-11-02": [],
        "before:2026-11-02": [ticket],
    }
    assert {query: found(query, cast.ann) for query in asked} == asked


def test_what_has_a_file(cast: Cast) -> None:
    plain, with_file = make_ticket(cast).number, make_ticket(cast, body="See the photo").number
    file = Attachment(
        message=get(with_file).messages[0], name="a.txt", media_type="text/plain", size=1, sha256="0", storage_key="k"
    )
    db.session.add(file)
    db.session.commit()
    assert (found("has:file", cast.ann), found("-has:file", cast.ann)) == ([with_file], [plain])


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            "is:tired",
            "“is:tired” means nothing here; after is: can stand unassigned, mine, open, pending, closed, spam",
        ),
        ("before:yesterday", "“before:yesterday” wants a day such as before:2026-11-01."),
        ("after:0001-01-01", "“after:0001-01-01” wants a day such as after:2026-11-01."),
        ("has:fun", "“has:fun” means nothing here; after has: can stand file."),
        ("priority:mine", "“priority:mine” means nothing here; after priority: can stand low, normal, high, urgent."),
        ("-history", "“-history”: only questions can be turned round, such as -tag:done, no words."),
        ('-"exact words"', '“-"exact words"”: only questions can be turned round, such as -tag:done, no words.'),
        (
            "bridge sort:oldest",
            "Of what is found by words the latest match comes first; sort: is for questions without",
        ),
        ("sort:size", "“sort:size” means nothing here; after sort: can stand newest, oldest."),
    ],
)
def test_what_means_nothing_is_said(cast: Cast, query: str, sentence: str) -> None:
    cast.ann.timezone = "Asia/Tokyo"
    with pytest.raises(Invalid) as told:
        found(query, cast.ann)
    assert told.value.message.startswith(sentence)


def test_a_subject_is_found_though_the_text_begins_almost_like_it(cast: Cast) -> None:
    ticket = make_ticket(cast, subject="Error", body="Errors in your chart.")
    assert found('"error"', cast.ann) == found("error chart", cast.ann) == [ticket.number]


def test_a_question_turned_round_is_true_where_nothing_is_known(cast: Cast) -> None:
    ticket = make_ticket(cast, topic=None, address="", name="").number
    assert found("-topic:mistake -reader:ruth@example.com -assignee:me", cast.ann) == [ticket]


def test_exact_words_stand_one_after_the_other(cast: Cast) -> None:
    there = make_ticket(cast, body="It opened in 1932, the Harbour-Bridge of Zürich.").number
    make_ticket(cast, body="The bridge over the harbour of Zurich opened, in 1932.")
    assert found('"harbour bridge"', cast.ann) == found('"opened IN 1932 the"', cast.ann) == [there]
    assert len(found("harbour bridge zurich", cast.ann)) == 2


def test_walking_what_was_found_meets_every_ticket_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 3)
    made = [make_ticket(cast, body=f"Zanzibar {n}").number for n in range(8)]
    for query, order in (("zanzibar", made[::-1]), ("is:open", made), ("is:open sort:newest", made[::-1])):
        met, after = [], None
        for _ in range(4):
            page = lists.list_found(read_filter(query), cast.ann, after=after)
            met += [ticket.number for ticket in page.tickets]
            after = page.next_key
            if after is None:
                break
        assert met == order, query


@pytest.mark.parametrize("place", ["x", "-1", "9" * 30, "1.5"])
def test_a_made_up_place_among_what_was_found_is_not_there(cast: Cast, place: str) -> None:
    with pytest.raises(NotFound):
        lists.list_found(read_filter("bridge"), cast.ann, after=place)


def test_the_words_around_a_hit_are_shown_with_the_hits_marked(cast: Cast) -> None:
    body = (
        f"{'Before this there is a lot of other text. ' * 5}The café by the bridge is a Café no more. {'After. ' * 40}"
    )
    ticket = make_ticket(cast, body=body)
    page = lists.list_found(read_filter("bridge cafe"), cast.ann)
    pieces = page.excerpts[ticket.id]
    assert [text for text, is_hit in pieces if is_hit] == ["café", "bridge", "Café"]
    text = "".join(text for text, _ in pieces)
    assert (text[:2], text[-2:]) == ("… ", " …")
    assert len(text) < 180
    assert text[2:-2] in body


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("bridge", ["Bridge", "bridges"]),
        ("bridge over", ["Bridge", "over"]),
        ('"bridge"', ["Bridge"]),
        ("brid* x", ["Bridge", "bridges"]),
        ("idge", []),
        ("river_side", ["river", "side"]),
    ],
)
@pytest.mark.parametrize("end", ["", " – naïve"])
def test_hits_are_whole_words_or_their_beginnings(query: str, hits: list[str], end: str) -> None:
    pieces = excerpt("A Bridge over bridges at river_side" + end, wanted_in(read_filter(query)))
    assert [text for text, is_hit in pieces if is_hit] == hits


def get(number: int) -> Ticket:
    return db.session.query(Ticket).filter_by(number=number).one()
