"""Twelve readers and what became of their letters: the sample desk's history, told by hand."""

from dataclasses import dataclass

from helpdesk.demo.acts import (
    Act,
    Person,
    answers,
    assign,
    bounces,
    close,
    form,
    mail,
    note,
    reply,
    spam,
    tag,
    take,
    urgent,
)  # fmt: skip
from helpdesk.tickets.models import Resolution, Then

RUTH = Person("Ruth Hallam", "ruth.hallam@example.com")
IDRIS = Person("Idris Vane", "idris@vane.example.com")
MARGIT = Person("Margit Sørensen", "margit.soerensen@example.org")
OLE = Person("Ole Brandt", "o.brandt@rowing.example.org")
PRIYA = Person("Priya Nair", "priya.nair@example.com")
TOM = Person("Tom Ashdown", "tom@ashdown.example.com")
FERRY = Person("Lucía Prieto", "l.prieto@ferry.example.org")
WRAY = Person("Helen Wray", "helen.wray@example.com")
SEO = Person("Growth Partner", "offers@growth.example.com")
BAKER = Person("Anselm Kroll", "anselm@bakery.example.com")
LAWYER = Person("Beatrix Stone", "stone@chambers.example.org")


@dataclass(frozen=True)
class Step:
    """One thing that happens, so many hours before now."""

    hours_ago: float
    act: Act


STORIES: dict[str, tuple[Step, ...]] = {
    "bridge: ruth": (
        Step(70, form(RUTH, "mistake", "harbour-bridge-closes",
            "You write that the bridge closes “for eleven weeks” and reopens on the 2nd of March. From this Monday that "
            "is fourteen weeks. Which of the two is right? My father needs the bus to the clinic.")),
        Step(66, take("Ann")),
        Step(65.8, note("Ann", "The press release says fourteen. Nell took “eleven” from the first version of it. Asking her.")),
        Step(65.5, tag("Ann", "correction", "bridge")),
        Step(50, reply("Ann",
            "Dear Ruth,\n\nthank you for counting. You are right: it is fourteen weeks, and the bridge reopens on the 2nd of "
            "March. We have corrected the article and said so below it.\n\nThe clinic bus leaves from the fish market, every "
            "20 minutes.", Then.WAIT)),
        Step(3.2, answers(RUTH,
            "Thank you for the quick answer, and for the bus!\n\nOne more thing: the map still shows the old stop.")),
    ),
    "bridge: idris": (
        Step(44, form(IDRIS, "mistake", "harbour-bridge-closes",
            "Eleven weeks from Monday is not March. Please check, people plan with this.")),
    ),
    "bridge: ole": (
        Step(26, mail(OLE, "Your article about the bridge",
            "Hello,\n\nit is not the rowing club that ferries people, it is the sailing school. We would if we could, but our "
            "boats have no room for prams.\n\nKind regards\nOle Brandt, rowing club")),
        Step(25, urgent("Eve")),
        Step(24.8, assign("Eve", "Ann")),
        Step(24.5, note("Eve", "That would be the second mistake in one article. Please call the sailing school before we change it.")),
    ),
    "tip: cannery": (
        Step(30, form(None, "tip", "old-cannery",
            "I do not want to give my name. Look at who has had the key to the cannery since August, and ask what is in the "
            "blue containers behind it. They are moved on Tuesday nights.")),
        Step(28, assign("Carla", "Eve")),
        Step(27.5, tag("Carla", "investigation")),
    ),
    "bus: question": (
        Step(22, form(PRIYA, "question", "free-buses-on-sundays",
            "Are the night buses free as well, the ones that leave on Saturday and arrive on Sunday?")),
        Step(20.5, reply("Ann",
            "Dear Priya,\n\na fine question, and the council had not thought of it either. What counts is the time you get on: "
            "after midnight it is Sunday, and free.", Then.CLOSE)),
    ),
    "walks: danger": (
        Step(96, form(TOM, "mistake", "seven-walks",
            "Walk four: the causeway is under water two hours BEFORE the time in your table. My daughter and I got wet "
            "to the knees. Somebody could drown.")),
        Step(95.5, urgent("Ann")),
        Step(95, reply("Ann",
            "Dear Tom,\n\nwe are sorry, and relieved that you are both well. The table was for the outer harbour. We took walk "
            "four off the page a minute ago and will print the right times on Saturday.")),
        Step(90, answers(TOM, "Thank you for acting at once. That is all I wanted.")),
        Step(89, close("Eve", Resolution.CORRECTED)),
        Step(88.9, tag("Eve", "correction")),
    ),
    "net maker: praise": (
        Step(150, mail(MARGIT, "Edda Marrow",
            "Dear newsroom,\n\nmy mother sat beside Edda in that winter of 1957. I read your piece to her on the telephone, "
            "twice. She laughed at the bakery.\n\nMargit")),
        Step(148, reply("Eve", "Dear Margit,\n\nthis made a whole newsroom happy. May we print it on the letters page?", Then.WAIT)),
    ),
    "water: chart": (
        Step(5.5, form(WRAY, "broken-page", "water-bill",
            "The chart stays empty on my telephone. I see only the axis.")),
    ),
    "ferry: photo": (
        Step(47, form(LAWYER, "rights", "choir-for-the-ferry",
            "I write for the parents of a pupil who stands in the first row of your photograph. They did not agree to it "
            "being published. Please take it down by tomorrow noon and confirm that you did.")),
        Step(46, assign("Carla", "Carla")),
        Step(45.5, note("Carla", "Photo is down since 14.10. School has a signed form for everybody but this child.")),
        Step(45, reply("Carla", "Dear Ms Stone,\n\nthe photograph was taken down today at ten past two. We are sorry that the "
            "form was not checked, and have written to the parents as well.", Then.WAIT)),
    ),
    "ferry: minutes": (
        Step(60, form(FERRY, "mistake", "choir-for-the-ferry",
            "It was seven minutes, not eleven. I keep the log. But it was lovely.")),
        Step(58, reply("Ann", "Dear Lucía,\n\nseven it is, and it says so now. Greetings to the crew!", Then.CLOSE)),
        Step(57.9, bounces("550 5.1.1 No such person here")),
    ),
    "spam: growth": (
        Step(12, spam(SEO,
            "We will bring 10,000 visitors to your site!!! http://growth.example.com http://growth.example.com/now "
            "http://growth.example.com/offer")),
    ),
    "bakery: route": (
        Step(0.7, mail(BAKER, "Walk six ends at my door",
            "Good morning,\n\nsince Saturday forty people a day come for the end of walk six, and I bake for twelve. This is "
            "no complaint. Could you write that we open at seven?\n\nAnselm Kroll")),
    ),
}  # fmt: skip
