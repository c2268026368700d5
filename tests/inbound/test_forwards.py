"""A forwarded mail names its writer, moment, subject and text, so that a ticket can stand in the writer's name."""

import pytest

from helpdesk.inbound.forwards import Forwarded, is_forward, read_forward
from helpdesk.inbound.mailboxes import Mailbox
from helpdesk.inbound.parsing import parse

TOM = Mailbox("Tom Flag", "tom@example.net")


@pytest.mark.parametrize(
    ("top", "date"),
    [
        (
            "---------- Forwarded message ---------\nFrom: Tom Flag <tom@example.net>\n"
            "Date: Sun, Nov 22, 2026 at 6:00 PM\nSubject: A flag\nTo: <editors@example.com>\n",
            "Sun, Nov 22, 2026 at 6:00 PM",
        ),
        (
            "-----Ursprüngliche Nachricht-----\nVon: Tom Flag [mailto:tom@example.net]\n"
            "Gesendet: Sonntag, 22. November 2026 18:00\nAn: editors@example.com\nBetreff: A flag\n",
            "Sonntag, 22. November 2026 18:00",
        ),
        (
            "________________________________\nDe : Tom Flag <tom@example.net>\n"
            "Envoyé : dimanche 22 novembre 2026 18:00\nÀ : editors@example.com\nObjet : A flag\n",
            "dimanche 22 novembre 2026 18:00",
        ),
        (
            "Begin forwarded message:\n\nFrom: Tom Flag <tom@example.net>\nSubject: A flag\n"
            "Date: 22 November 2026 at 18:00:00 GMT\nTo: editors@example.com\n",
            "22 November 2026 at 18:00:00 GMT",
        ),
        (
            "-------- Пересылаемое --------\n"
            "22.11.2026 18:00\nFrom: Tom Flag <tom@example.net>\nSubject: A\n flag\nTo: editors@example.com\n",
            "",
        ),
    ],
)
def test_the_writer_of_a_forwarded_mail_is_found_in_many_languages(top: str, date: str):
    found = read_forward(f"Yours?\n\n{top}\nIt is upside down.\n\nTom", subject="Fwd: A flag")
    assert found is not None
    if date:
        assert found == Forwarded(TOM, found.to, "A flag", date, "It is upside down.\n\nTom")
        assert "editors@example.com" in found.to


def test_the_quoted_forward_of_apple_mail_is_unquoted_and_what_stands_below_is_not_it():
    text = (
        "See.\n\nBegin forwarded message:\n\n> From: Tom Flag <tom@example.net>\n> Subject: A flag\n>\n> Down.\n\nEve"
    )
    assert read_forward(text, subject="Fwd: A flag") == Forwarded(TOM, "", "A flag", "", "Down.")


def test_labels_in_the_forwarded_words_are_words():
    text = "-- Forwarded message --\nFrom: Tom <tom@example.net>\nSubject: Form\n\nName: Tom\nText: Down.\n"
    found = read_forward(text, subject="")
    assert found is not None
    assert found.text == "Name: Tom\nText: Down."


def test_a_name_without_an_address_is_a_name():
    text = "From: Tom Flag\nSent: 22 November 2026 18:00\nTo: Editors\nSubject: A flag\n\nDown."
    found = read_forward(text, subject="FW: A flag")
    assert found is not None
    assert found.from_ == Mailbox("Tom Flag", "")


@pytest.mark.parametrize(
    "text", ["Nothing here.", "> only a quote", "-- Forwarded message --\nno labels", "From: Berlin\nTo: Ulm"]
)
def test_what_forwards_nothing_is_no_forward(text: str):
    assert read_forward(text, subject="") is None


@pytest.mark.parametrize(
    ("subject", "forwards"),
    [
        ("Fwd: A flag", True),
        ("WG: Fahne", True),
        ("[desk] TR : Drapeau", True),
        ("转发：旗", True),  # noqa: RUF001
        ("Re: Fwd: A flag", False),
        ("Forward march", False),
        ("", False),
    ],
)
def test_subjects_that_forward(subject: str, forwards: bool):
    assert is_forward(subject) is forwards


def test_the_only_attached_mail_is_the_forwarded_one():
    inner = "From: Tom Flag <tom@example.net>\nTo: editors@example.com\nSubject: A flag\n\nDown.\n"
    head = 'From: eve@example.org\nSubject: Fwd: A flag\nContent-Type: multipart/mixed; boundary="b"\n\n'
    raw = f"{head}--b\n\nPlease.\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    assert parse(raw.encode()).forwarded == Forwarded(TOM, "editors@example.com", "A flag", "", "Down.")
