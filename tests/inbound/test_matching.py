"""Which ticket a mail belongs to: what we issued, and nothing that can be made up."""

import base64

import pytest
from flask import Flask

from helpdesk import tokens
from helpdesk.addresses import split_token
from helpdesk.inbound.matching import Match, match
from helpdesk.inbound.parsing import parse
from helpdesk.tickets.links import new_message_id, reply_address
from helpdesk.tickets.models import Ticket
from helpdesk.tokens import Keyring, Kind
from tests.cast import Cast
from tests.factories import make_ticket
from tests.letters import letter

OTHER_SECRET = "the secret of another desk, 32 characters or more"
NEW_SECRET = "a newer secret of this desk, 32 characters or more"


def test_the_reply_address_names_its_ticket_wherever_it_stands(cast: Cast) -> None:
    ticket = make_ticket(cast)
    address = reply_address(ticket)
    wheres: list[tuple[bytes, tuple[str, ...]]] = [
        (letter(to=address), ()),
        (letter(to=f"The Post <{address.upper()}>"), ()),
        (letter(headers={"Cc": f"eve@example.com, {address}"}), ()),
        (letter(headers={"Delivered-To": address}), ()),
        (letter(), (address,)),
    ]
    assert [match(parse(raw), envelope).ticket_id for raw, envelope in wheres] == [ticket.id] * 5


def test_a_message_id_that_we_issued_names_its_ticket(cast: Cast) -> None:
    ticket, other = make_ticket(cast), make_ticket(cast, body="Another matter")
    ours, theirs = new_message_id(ticket), new_message_id(other)
    assert found(headers={"In-Reply-To": f"<{ours}>"}) == ticket.id
    assert found(headers={"References": f"<her@example.com> <{ours}> <mine@example.com>"}) == ticket.id
    assert found(headers={"In-Reply-To": f"<{ours}>", "References": f"<{theirs}>"}) == ticket.id
    assert found(headers={"References": f"<{theirs}> <{ours}>"}) == ticket.id


def test_the_token_outranks_the_message_id(cast: Cast) -> None:
    ticket, other = make_ticket(cast), make_ticket(cast, body="Another matter")
    assert found(to=reply_address(ticket), headers={"In-Reply-To": f"<{new_message_id(other)}>"}) == ticket.id


def test_class_13_and_18_a_number_never_joins_a_ticket_and_only_makes_a_hint(cast: Cast) -> None:
    ticket = make_ticket(cast)
    raw = letter(subject=f"Re: [#{ticket.number}] The bridge")
    assert match(parse(raw)) == Match(None, "no token and no Message-ID of ours: a new ticket", ticket.number)


@pytest.mark.parametrize(
    "shape",
    [
        "support+{id}@example.org", "support+id{id}@example.org", "support+{number}@example.org",
        "support-{id}@example.org", "support+ticket-{id}@example.org", "ticket+{id}@example.org",
        "support+@example.org", "support++{id}@example.org", "{id}@example.org",
    ],
)  # fmt: skip
def test_class_13_no_address_with_a_plain_number_joins_a_ticket(cast: Cast, shape: str) -> None:
    ticket = make_ticket(cast)
    address = shape.format(id=ticket.id, number=ticket.number)
    assert found(to=address) is None
    assert match(parse(letter()), (address,)).ticket_id is None


@pytest.mark.parametrize(
    "shape",
    [
        "{id}@example.org", "ticket-{id}@example.org", "ticket-{id}.7@example.org", "{id}.1.ruth@example.org",
        "reply-{id}@example.org", "helpdesk/{id}@example.org", "<{id}>", "{token}", "{half}@example.org",
        "{token}x@example.org", "x{token}@example.org",
    ],
)  # fmt: skip
def test_class_15_and_16_no_made_up_message_id_joins_a_ticket(cast: Cast, shape: str) -> None:
    ticket = make_ticket(cast)
    token = new_message_id(ticket).partition("@")[0]
    made_up = shape.format(
        id=ticket.id, token=token[:-1] + ("a" if token[-1] != "a" else "b"), half=token[: len(token) // 2]
    )
    assert found(headers={"In-Reply-To": f"<{made_up}>", "References": f"<{made_up}>"}) is None


def test_class_15_a_colleagues_address_joins_nothing_without_our_token(cast: Cast) -> None:
    make_ticket(cast)
    assert found(from_="Ann Archer <ann@example.org>", headers={"In-Reply-To": "<her-first@example.com>"}) is None


def test_class_17_any_flipped_bit_is_refused(cast: Cast) -> None:
    ticket = make_ticket(cast)
    token = (split_token(reply_address(ticket)) or ("", ""))[1]
    raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        forged = base64.b32encode(bytes(flipped)).decode().rstrip("=").lower()
        assert found(to=f"support+{forged}@example.org") is None, bit


def test_class_17_any_other_letter_is_refused(cast: Cast) -> None:
    ticket = make_ticket(cast)
    token = (split_token(reply_address(ticket)) or ("", ""))[1]
    for position in range(len(token)):
        for letter_ in "abcdefghijklmnopqrstuvwxyz234567":
            if letter_ != token[position]:
                forged = token[:position] + letter_ + token[position + 1 :]
                assert match(parse(b""), (f"support+{forged}@example.org",)).ticket_id is None, (position, letter_)


def test_class_17_a_token_of_another_desk_is_refused(cast: Cast) -> None:
    ticket = make_ticket(cast)
    foreign = Keyring.of([OTHER_SECRET]).issue(Kind.READER_REPLY, ticket.id.to_bytes(5))
    assert found(to=f"support+{foreign}@example.org") is None


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.READER_REPLY])
def test_class_17_a_token_of_another_kind_is_no_reply_address(app: Flask, cast: Cast, kind: Kind) -> None:
    ticket = make_ticket(cast)
    token = tokens.keyring().issue(kind, ticket.id.to_bytes(5))
    assert found(to=f"support+{token}@example.org") is None


def test_class_17_a_new_key_keeps_old_threads_until_the_old_key_is_dropped(app: Flask, cast: Cast) -> None:
    ticket = make_ticket(cast)
    address, message_id = reply_address(ticket), new_message_id(ticket)
    old = [key.get_secret_value() for key in app.extensions["settings"].secret_keys]
    tokens.init_app(app, [NEW_SECRET, *old])
    assert found(to=address) == found(headers={"In-Reply-To": f"<{message_id}>"}) == ticket.id
    assert reply_address(ticket) != address
    assert found(to=reply_address(ticket)) == ticket.id
    tokens.init_app(app, [NEW_SECRET])
    assert (found(to=address), found(headers={"In-Reply-To": f"<{message_id}>"})) == (None, None)


def test_a_reply_address_fits_into_any_mail_server(cast: Cast) -> None:
    ticket = make_ticket(cast)
    ticket = Ticket(id=2**40 - 1, queue=ticket.queue)
    assert len(reply_address(ticket).partition("@")[0]) <= 64


def found(**fields: object) -> int | None:
    """The ticket that a mail with these fields belongs to."""
    return match(parse(letter(**fields))).ticket_id  # type: ignore[arg-type]
