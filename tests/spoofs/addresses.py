"""Forged recipients: tokens that were guessed, altered, of another kind, or put where no address stands."""

from tests.spoofs.spoof import Spoof

ADDRESSES = [
    *(
        Spoof(f"sent to the desk with {name}", 17, f"To: {address}", to=(address,))
        for name, address in (
            ("the ticket's id", "support+{id}@example.org"),
            ("the number", "support+{number}@example.org"),
            ("id and number", "support+id{id}.{number}@example.org"),
            ("nothing behind the plus", "support+@example.org"),
            ("a token cut by a letter", "support+{cut}@example.org"),
            ("half a token", "support+{half}@example.org"),
            ("an altered token", "support+{flipped}@example.org"),
            ("a token and a letter", "support+{longer}@example.org"),
            ("a padded token", "support+{padded}@example.org"),
            ("a token backwards", "support+{reversed}@example.org"),
            ("the halves of a token changed round", "support+{swapped_halves}@example.org"),
            ("a MAC under another ticket's number", "support+{payload_of_ben}@example.org"),
            ("a lookalike letter in a token", "support+{lookalike}@example.org"),
            ("a letter whose capital is ours", "support+{capital}@example.org"),
            ("a wide letter in a token", "support+{fullwidth}@example.org"),
            ("an invisible letter in a token", "support+{invisible}@example.org"),
            ("a token of another desk", "support+{foreign}@example.org"),
            ("a status link", "support+{status}@example.org"),
            ("an issued Message-ID", "support+{id_token}@example.org"),
            ("a form token", "support+{kind_form}@example.org"),
            ("a setup token", "support+{kind_setup}@example.org"),
            ("a token of the doctor's", "support+{kind_probe}@example.org"),
            ("a private address of another desk", "support+{foreign_forward}@example.org"),
            ("a token behind a minus", "support-{token}@example.org"),
            ("a token instead of its name", "{token}@example.org"),
        )
    ),
    *(
        Spoof(f"a token {name}", 17, head)
        for name, head in (
            ("in a name", 'To: "{reply}" <support@example.org>'),
            ("in a comment", "To: support@example.org ({reply})"),
            ("in a quoted local part", 'To: "support+{token}"@example.org'),
            ("as the name of a group", "To: {reply}: support@example.org;"),
            ("in Resent-To", "Resent-To: {reply}\nResent-From: {ruth}\nResent-Cc: {reply}"),
            ("in Received", "Received: from x by y for <{reply}>; Wed, 25 Nov 2026 10:00:00 +0000"),
            ("in Bcc", "Bcc: {reply}"),
            ("in Return-Path", "Return-Path: <{reply}>"),
            ("in X-To", "X-To: {reply}\nX-Forwarded-To: {reply}"),
            ("in the subject", "Subject: {reply}"),
            ("in an encoded word", "To: =?utf-8?q?support=2B{token}=40example.org?= <support@example.org>"),
        )
    ),
    Spoof("an altered token in Delivered-To", 17, "Delivered-To: support+{flipped}@example.org\nX-Original-To: {cut}"),
    Spoof("a hundred recipients", 27, "To: " + ", ".join(f"r{n}@example.com" for n in range(100)),
          to=tuple(f"support+{n}@example.org" for n in range(100))),
    Spoof("copies to half the world", 13, "Cc: " + ", ".join(f"r{n}@example.com" for n in range(300))),
    Spoof("a token, by a stranger", 19, "To: {reply}", to=("{reply}",), joins="ruth"),
    Spoof("a token in capitals, by a stranger", 19, "To: nobody@example.org", to=("SUPPORT+{token_upper}@EXAMPLE.ORG",),
          joins="ruth"),
    Spoof("a token, by an agent", 15, "From: Ann Archer <ann@example.org>\nTo: {reply}", to=("{reply}",), joins="ruth"),
    Spoof("a token, by the desk itself", 29, "From: support@example.org\nTo: {reply}", to=("{reply}",), joins="ruth"),
    Spoof("a token, by nobody", 19, "From:\nTo: {reply}", to=("{reply}",), joins="ruth"),
    Spoof("a token, by an address with two readings", 22, "From: <{ruth}> <mallory@evil.example>", to=("{reply}",),
          joins="ruth"),
    Spoof("a token, by the reader as a name", 19, 'From: "{ruth}" <mallory@evil.example>', to=("{reply}",), joins="ruth"),
    Spoof("a token, with Reply-To and Cc elsewhere", 20, "To: {reply}\nReply-To: {ben}\nCc: {ben}", joins="ruth"),
    Spoof("a token within a group", 19, "To: desk: {reply}, x@example.com;", joins="ruth"),
    Spoof("a token in Delivered-To", 19, "Delivered-To: {reply}", joins="ruth"),
    Spoof("a token at another domain", 19, "To: anybody+{token}@evil.example, support@example.org", joins="ruth"),
    Spoof("tokens of two tickets", 19, "To: {reply}, {bens_reply}", to=("{reply}", "{bens_reply}"), joins="ruth"),
    Spoof("a wrong token before the right one", 19, "To: support+{flipped}@example.org, {reply}", joins="ruth"),
    Spoof("a token and another ticket's id", 19, "To: {reply}\nIn-Reply-To: <1@example.org>\nSubject: #2", joins="ruth"),
]  # fmt: skip
