"""Forged machines: bounces, complaints, automatic answers, lists; and mails within mails."""

from tests.cast import RUTH
from tests.spoofs.spoof import Spoof

FROM_DAEMON = "From: MAILER-DAEMON@mx.example.com\nSubject: Undelivered Mail Returned to Sender\n"
DSN = FROM_DAEMON + 'Content-Type: multipart/report; report-type=delivery-status; boundary="xx"'
STATUS = (
    "--xx\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
    "Final-Recipient: rfc822; {{ruth}}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    "--xx\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{}>\r\nTo: {{ruth}}\r\n\r\n--xx--"
)
HIDDEN = (
    "before\r\n{end}MAIL FROM:<{{ruth}}>\r\nRCPT TO:<{{reply}}>\r\nDATA\r\nFrom: {{ruth}}\r\nTo: {{reply}}\r\n"
    "Subject: Smuggled\r\n\r\nI take it all back.\r\n{end}QUIT"
)

MACHINES = [
    *(
        Spoof(f"a bounce that names {name}", 30, DSN, body=STATUS.format(shape), sender="", ignored=True)
        for name, shape in (
            ("the ticket's id", "{id}@example.org"),
            ("an altered id of ours", "{id_flipped}@example.org"),
            ("an id of another desk", "{foreign_id}@example.org"),
            ("the reader's own first mail", "{first}"),
            ("a reply address", "{reply}"),
        )
    ),
    Spoof("a bounce without parts", 30, "From: MAILER-DAEMON@mx.example.com\nSubject: failure notice",
          body="<{ruth}>: user unknown\r\n\r\nMessage-ID: <{id}@example.org>\r\nTo: {reply}", sender="", ignored=True),
    Spoof("a complaint", 30, FROM_DAEMON + 'Content-Type: multipart/report; report-type=feedback-report; boundary="xx"',
          body="--xx\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n--xx--", ignored=True),
    Spoof("an automatic answer with the number", 29, "Auto-Submitted: auto-replied\nSubject: Re: #{number}", ignored=True),
    Spoof("an automatic answer of the reader's", 29,
          "From: {ruth}\nAuto-Submitted: auto-replied\nIn-Reply-To: <{id}@example.org>", ignored=True),
    Spoof("an automatic answer with the token", 29, "To: {reply}\nAuto-Submitted: auto-replied", to=("{reply}",),
          joins="ruth"),
    Spoof("a bounce's address used by a person", 29, "To: {reply}\nSubject: Not a bounce", to=("{reply}",), joins="ruth"),
    Spoof("a mailing list", 30, "From: {ruth}\nList-Id: <talk.example.com>\nSubject: [talk] #{number}", reader=RUTH,
          silent=True),
    *(
        Spoof(f"a mail behind {name}", 33, "Subject: One mail", body=HIDDEN.format(end=end))
        for name, end in (
            ("LF . CRLF", "\n.\r\n"), ("LF . LF", "\n.\n"), ("CR . CR", "\r.\r"), ("CR . CRLF", "\r.\r\n"),
            ("NUL . CRLF", "\0.\r\n"),
        )
    ),
    Spoof("a mail within a mail", 14, 'Content-Type: multipart/mixed; boundary="xx"',
          body="--xx\r\nContent-Type: message/rfc822\r\n\r\nFrom: {ruth}\r\nTo: {reply}\r\nIn-Reply-To: <{issued}>\r\n\r\n"
               "Inner\r\n--xx--"),
    Spoof("a forwarded mail of the reader's", 14, "Subject: Fwd: My message #{number}",
          body="---------- Forwarded message ---------\r\nFrom: Ruth Reed <{ruth}>\r\nTo: {reply}\r\n"
               "Subject: #{number}\r\n\r\nMy words"),
    Spoof("headers in the text", 31, "Subject: Hello", body="Bcc: {ben}\r\nTo: {ben}\r\n\r\nX"),
]  # fmt: skip
