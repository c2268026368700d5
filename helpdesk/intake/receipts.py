"""What Amazon SES says of one mail that it received: the envelope, and the mail itself or where it is."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import obstore
from werkzeug.exceptions import RequestEntityTooLarge

from helpdesk.config import settings
from helpdesk.errors import Invalid
from helpdesk.file_stores import ask, open_bucket
from helpdesk.intake.answers import MAX_BYTES
from helpdesk.intake.envelopes import recipients_of, sender_of
from helpdesk.intake.objects import read_object, within

NO_RECEIPT = "This tells of no mail that was received; give SES a topic of its own for incoming mail."
IN_A_BUCKET = "The mail is in a bucket; name it in HELPDESK_SES_BUCKET, or let the rule publish the mail to the topic."
OTHER_BUCKET = "The mail is in another bucket than HELPDESK_SES_BUCKET names."
NOT_CODED = "The content is said to be Base64, and is not."


@dataclass(frozen=True)
class Receipt:
    """The object that SES publishes, of which nothing but the top is known to be well formed."""

    said: dict[str, Any]

    @property
    def envelope_from(self) -> str | None:
        """The address of MAIL FROM."""
        return sender_of(within(self.said, "mail", "source"))

    @property
    def envelope_to(self) -> tuple[str, ...]:
        """The addresses of RCPT TO that the rule is about."""
        to = within(self.said, "receipt", "recipients")
        return recipients_of(to if isinstance(to, list) else [])

    def mail(self) -> bytes:
        """Every byte of the mail; where the rule says UTF-8, SES has replaced what is none.

        Raises Invalid when it is not there, RequestEntityTooLarge, or OSError when the bucket does not give it.
        """
        content = self.said.get("content")
        if not isinstance(content, str):
            return _mail_in_bucket(within(self.said, "receipt", "action"))
        if str(within(self.said, "receipt", "action", "encoding")).lower() != "base64":
            return content.encode(errors="surrogatepass")
        try:
            return b64decode("".join(content.split()), validate=True)
        except ValueError as error:
            raise Invalid(NOT_CODED) from error


def read_receipt(text: str) -> Receipt:
    """What a notification's text says. Raises Invalid when it is about no mail that was received."""
    said = read_object(text, otherwise=NO_RECEIPT)
    if said.get("notificationType") != "Received":
        raise Invalid(NO_RECEIPT)
    return Receipt(said)


def _mail_in_bucket(action: Any) -> bytes:
    """Mail of more than 150 KB comes in no other way."""
    given, key = settings(), within(action, "objectKey")
    if not given.ses_bucket or not isinstance(key, str):
        raise Invalid(IN_A_BUCKET)
    if within(action, "bucketName") != urlsplit(given.ses_bucket).netloc:
        raise Invalid(OTHER_BUCKET)
    found = ask(obstore.get, open_bucket(given.ses_bucket, given.ses_access_key, given.ses_secret_key), key)
    if found.meta["size"] > MAX_BYTES:
        raise RequestEntityTooLarge
    return bytes(found.bytes())
