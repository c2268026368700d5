"""Two rows at least in every table, made by the real verbs where there is one."""

from sqlalchemy import Table, func, select

from helpdesk import clock, uploads
from helpdesk.agents.forgotten import note_password_request
from helpdesk.agents.models import DeskSetting, Passkey
from helpdesk.agents.operations import start_sign_in
from helpdesk.alarms.models import Alarm
from helpdesk.articles.models import Article, ArticleAlias
from helpdesk.canned_replies.operations import add_canned_reply
from helpdesk.database import db
from helpdesk.inbound.models import Source, SourceToken, StuckEmail
from helpdesk.inbound.receiving import receive
from helpdesk.inbound.troubles import NOT_FETCHED
from helpdesk.intake.operations import take
from helpdesk.intake.signing import Claim
from helpdesk.outbound.models import DestinationWait
from helpdesk.outbound.pausing import pause_sending, resume_sending
from helpdesk.sites.operations import add_site
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.models import Resolution, Then
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.participants import Participant
from helpdesk.tickets.replying import add_note, reply
from helpdesk.tickets.ticket_links import Relation, TicketLink
from helpdesk.tickets.triage import add_tag, close
from helpdesk.tickets.uploads import keep_uploads, save_draft
from helpdesk.ticks import claim_tick
from tests.cast import Cast
from tests.factories import follow_up_letter, make_ticket
from tests.letters import letter

Rows = dict[str, list[dict[str, object]]]


def fill_every_table(cast: Cast) -> None:
    """Use the desk a little."""
    for number in (1, 2):
        ticket = make_ticket(
            cast, address=f"reader{number}@example.com", article_url=f"https://blog.example.org/{number}/"
        )
        reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
        follow_up(ticket, letter=follow_up_letter())
        add_note(ticket, body="Ask the archive.", by=cast.eve)
        add_tag(ticket, name=f"tag {number}", by=cast.ann)
        save_draft(ticket, kind=DraftKind.REPLY, body="…", by=cast.ann, stored=[uploads.store("a.txt", b"a")])
        kept = [uploads.store("b.txt", b"b")]
        keep_uploads(cast.site, upload_token=f"{number:032}", stored=kept, remote_address="192.0.2.1")
        close(ticket, resolution=Resolution.ANSWERED, by=cast.ann)
        receive(letter())
        take(letter(), claim=Claim(f"179551680{number}", f"{number:064}"), remote_address="192.0.2.1")
        note_password_request(f"someone{number}@example.org", remote_address="192.0.2.1")
        claim_tick(f"task {number}")
        add_canned_reply(cast.site, name=f"Thanks {number}", body="Thank you.", by=cast.eve)
        add_site(f"Site {number}", home_url=f"https://site{number}.example.org/", url_prefixes=[])
        pause_sending(cast.carla.name)
        resume_sending(cast.carla.name)
        _add_what_no_verb_makes(cast, number)


def rows() -> Rows:
    """All rows of all tables, each table in the order of its key."""
    db.session.rollback()
    with db.engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in db.metadata.sorted_tables
        }


def sparse_tables() -> list[str]:
    """The tables with fewer than two rows."""
    return [table.name for table in db.metadata.sorted_tables if _count(table) < 2]


def _count(table: Table) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def _add_what_no_verb_makes(cast: Cast, number: int) -> None:
    article = db.session.scalars(select(Article).order_by(Article.id.desc())).first()
    assert article is not None
    db.session.add_all([
        ArticleAlias(site_id=cast.site.id, article_id=article.id, url=f"https://blog.example.org/old/{number}/"),
        Participant(ticket_id=number, address=f"friend{number}@example.com", added_at=clock.now()),
        source := Source(name=f"Box {number}", queue=cast.queue, settings={"host": "127.0.0.1"}),
        DestinationWait(name=f"{number}.example.com", refusals=1, until=clock.now(), reason="451 4.7.1 greylisted"),
    ])  # fmt: skip
    db.session.flush()
    db.session.add(SourceToken(source_id=source.id, sealed="sealed"))
    now = clock.now()
    db.session.add(
        StuckEmail(source=source, uidvalidity=1, uid=number, reason="no", first_failed_at=now, last_failed_at=now)
    )
    db.session.add(Alarm(kind=NOT_FETCHED, name=f"Box {number}", began_at=now, seen_at=now, told_at=now, ended_at=now))
    if number == 2:
        now = clock.now()
        for one, other in ((1, 2), (2, 1)):
            db.session.add(TicketLink(ticket_id=one, other_id=other, relation=Relation.RELATED, made_at=now))
    start_sign_in(cast.ann, device="A browser")
    db.session.add(DeskSetting(name=f"setting {number}", value="yes"))
    db.session.add(
        Passkey(agent=cast.ann, name=f"Key {number}", credential_id=bytes([number]), public_key=b"k", usage="first",
                device_type="single_device", lastuse_datetime=now)
    )  # fmt: skip
    db.session.commit()
