"""Forged thread headers: Message-IDs that were guessed, cut, altered, taken from elsewhere or put elsewhere."""

from tests.cast import RUTH
from tests.spoofs.spoof import Spoof

THREADS = [
    *(
        Spoof(f"an id made of {name}", 16, f"From: {{ruth}}\nIn-Reply-To: <{shape}>\nReferences: <{shape}>", reader=RUTH)
        for name, shape in (
            ("the ticket's id", "{id}@example.org"),
            ("the number", "ticket-{number}@example.org"),
            ("number and id", "{number}.{id}@example.org"),
            ("the old shape of others", "reply-{id}-1@example.org"),
            ("a path", "helpdesk/tickets/{number}@example.org"),
            ("nothing but the number", "{number}"),
            ("the reader's own first id", "{first}"),
        )
    ),
    *(
        Spoof(f"an issued id, {name}", 17, f"In-Reply-To: <{shape}@example.org>\nReferences: <{shape}@example.org>")
        for name, shape in (
            ("cut", "{id_cut}"),
            ("altered", "{id_flipped}"),
            ("with a lookalike letter", "{id_lookalike}"),
            ("of another desk", "{foreign_id}"),
            ("with a letter before", "x{id_token}"),
            ("with a letter behind", "{id_token}x"),
            ("that is a reply token", "{token}"),
            ("that is a status link", "{status}"),
            ("that is a form token", "{kind_form}"),
            ("that is a setup token", "{kind_setup}"),
            ("that is a token of a receipt", "{kind_receipt_id}"),
            ("with a reply token before it", "{token}.{id_token}"),
        )
    ),
    *(
        Spoof(f"an issued id {name}", 13, head)
        for name, head in (
            ("as the mail's own", "Message-ID: <{issued}>"),
            ("as Resent-Message-ID", "Resent-Message-ID: <{issued}>"),
            ("as Content-ID", "Content-ID: <{issued}>"),
            ("in the subject", "Subject: Re: <{issued}>"),
            ("in Thread-Index", "Thread-Index: {issued}\nThread-Topic: {issued}"),
            ("in X-In-Reply-To", "X-In-Reply-To: <{issued}>\nX-References: <{issued}>"),
            ("in a comment of Received", "Received: from x (<{issued}>) by y; Wed, 25 Nov 2026 10:00:00 +0000"),
            ("in Supersedes", "Supersedes: <{issued}>\nOriginal-Message-ID: <{issued}>"),
        )
    ),
    Spoof("an issued id in the text", 13, "Subject: Hello", body="In-Reply-To: <{issued}>\r\n\r\n> {reply}"),
    *(
        Spoof(f"the header {header} of a desk", 23, f"From: {{ruth}}\n{header}: {{number}}", reader=RUTH)
        for header in ("X-Helpdesk-Ticket", "X-Helpdesk-Ticket-Id", "X-Ticket-Number", "X-Queue", "X-RT-Ticket",
                       "X-Zammad-Ticket-Id", "X-Helpdesk-Verified")
    ),
    Spoof("our own loop header", 23, "X-Helpdesk-Loop: {host}", ignored=True),
    Spoof("an issued id from a stranger", 19, "In-Reply-To: <{issued}>", joins="ruth"),
    Spoof("an issued id from a stranger who calls himself an agent", 15,
          "From: Ann Archer <ann@example.org>\nIn-Reply-To: <{issued}>", joins="ruth"),
    Spoof("an issued id in capitals among strange ones", 19,
          "References: <a@b.example> <{issued}> <c@d.example>\nIn-Reply-To: <c@d.example>", joins="ruth"),
]  # fmt: skip
