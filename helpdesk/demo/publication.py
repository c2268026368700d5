"""The Saltmere Courier, a newspaper that does not exist, and what it published lately."""

from dataclasses import dataclass

NAME = "The Saltmere Courier"
INTAKE = "letters@courier.example.org"
LEGAL = "legal@courier.example.org"
CONTACT_TEXT = """You can also ring the newsroom on weekdays between 9 and 17 h, or write to
**The Saltmere Courier, 3 Quay Lane, Saltmere**."""
ARTICLES_PATH = "/articles/"


@dataclass(frozen=True)
class SampleArticle:
    """One page of the publication; `days_ago` is when it was published."""

    slug: str
    title: str
    author: str
    section: str
    days_ago: int
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class SampleAgent:
    """One person of the newsroom."""

    name: str
    email: str
    role: str


AGENTS = (
    SampleAgent("Ann Whitcombe", "ann@courier.example.org", "agent"),
    SampleAgent("Eve Lindqvist", "eve@courier.example.org", "editor"),
    SampleAgent("Carla Mendes", "carla@courier.example.org", "admin"),
)
SIGN_IN = AGENTS[2].email
PASSWORD = "low-tide-at-noon"

ARTICLES = (
    SampleArticle(
        "harbour-bridge-closes", "Harbour bridge closes for eleven weeks from Monday", "Nell Arden", "Town", 4,
        (
            "The harbour bridge will be closed to all traffic from Monday, the council announced on Thursday. Divers found "
            "cracks in two of its nine piers in September.",
            "Work is to last eleven weeks. Until then buses turn round at the fish market, and the rowing club ferries "
            "people on foot across the basin for nothing.",
            "“Nobody likes it, and nobody would like the alternative,” said the harbour engineer, Piet Rowe.",
        ),
    ),
    SampleArticle(
        "last-net-maker", "The last net maker of Quay Lane", "Jonas Feld", "People", 9,
        (
            "Edda Marrow knots by the window, because the light is free. She is 81, and when she stops, nobody in "
            "Saltmere will know how a herring net is closed.",
            "She learned it from an aunt in the winter of 1957, when the harbour froze and there was nothing else to do.",
            "Her nets hang in two museums and one bakery.",
        ),
    ),
    SampleArticle(
        "free-buses-on-sundays", "Council votes 14 to 9 for free buses on Sundays", "Nell Arden", "Politics", 2,
        (
            "From the first of March nobody pays on a Saltmere bus on a Sunday. The council decided so after four hours, "
            "by 14 votes to 9.",
            "It costs the town 212,000 a year. The treasurer called that “a lot of Sundays”.",
        ),
    ),
    SampleArticle(
        "lighthouse-diary", "How a lighthouse keeper’s diary changed the tide tables", "Ines Okafor", "Science", 12,
        (
            "For 31 years Thomas Wray wrote down the sea twice a day. His notebooks lay in a biscuit tin until a "
            "student of oceanography asked for a cup of tea.",
            "The tables for the northern channel are now corrected by up to six minutes.",
        ),
    ),
    SampleArticle(
        "seven-walks", "Seven walks that end at a bakery", "Jonas Feld", "Weekend", 6,
        (
            "All of them begin at a bus stop, none is longer than eleven kilometres, and every one ends where there is "
            "butter. Map and times of the tides below.",
            "Walk four leads along the causeway: go there at low water only.",
        ),
    ),
    SampleArticle(
        "water-bill", "Why your water bill rises by 8 percent", "Ines Okafor", "Money", 1,
        (
            "The waterworks raise their price from January. A household of two pays about 31 more a year. We asked where "
            "the money goes and were shown a very old pipe.",
            "The chart shows what a cubic metre has cost since 1990.",
        ),
    ),
    SampleArticle(
        "choir-for-the-ferry", "School choir sings for the ferry crews", "Jonas Feld", "Culture", 3,
        (
            "Forty pupils stood on the car deck on Friday night and sang until the ferry left eleven minutes late. Nobody "
            "complained, which the captain noted in the log.",
        ),
    ),
    SampleArticle(
        "old-cannery", "What we know about the smell over the old cannery", "Nell Arden", "Environment", 5,
        (
            "Since the middle of the month people in the eastern quarter keep their windows shut. The environment office "
            "has taken air at four places and found nothing that harms, and nothing that explains it.",
            "If you know more than we do: there is a link below this text.",
        ),
    ),
)  # fmt: skip
