"""A message of Amazon's notification service (SNS): what it must hold, what of it is signed, and where it may point."""

import hashlib
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from helpdesk.errors import Unsigned
from helpdesk.intake.signing import Claim, Forged, Scheme, read_claim

NOTIFICATION, SUBSCRIPTION, END = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
_CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: _CONFIRMED,
    END: _CONFIRMED,
}
OPTIONAL = "Subject"
PLAIN = ("Signature", "SignatureVersion", "SigningCertURL")
# SNS tries for an hour at most, but a dead-letter queue holds a message for 14 days, signed as it was.
SCHEME = Scheme(
    "SNS-Signature",
    timedelta(days=15),
    "This is no signed message of Amazon SNS; switch “raw message delivery” of the subscription off.",
    "The message is more than 15 days old, or of a time to come.",
)
OTHER_TOPIC = "The topic of this message is not among HELPDESK_SES_TOPICS."
ELSEWHERE = "The certificate is not where Amazon has those of this topic."
_NAME = re.compile(r"[0-9A-Za-z]{1,100}\.pem")
_START = "/SimpleNotificationService-"


@dataclass(frozen=True)
class Notice:
    """A message that has all its fields; who sent it is not known before its signature was checked."""

    fields: dict[str, str]
    signature: bytes
    claim: Claim

    @property
    def kind(self) -> str:
        """NOTIFICATION, SUBSCRIPTION or END."""
        return self.fields["Type"]

    @property
    def topic(self) -> str:
        """The name (ARN) of the topic, one of the settings."""
        return self.fields["TopicArn"]

    @property
    def host(self) -> str:
        """The one host that this topic belongs to. It is made of a setting: no message says whom we ask."""
        _, part, _, region, *_ = self.topic.split(":")
        return f"sns.{region}.amazonaws.com" + (".cn" if part == "aws-cn" else "")

    @property
    def signed_text(self) -> bytes:
        """What is signed: name and value of some fields, a line each (SNS, “Verifying message signatures”)."""
        names = [name for name in SIGNED[self.kind] if name in self.fields]
        return "".join(f"{name}\n{self.fields[name]}\n" for name in names).encode(errors="surrogatepass")

    @property
    def certificate_path(self) -> str:
        """Where on that host the certificate is. Raises Forged when the message names another place."""
        start, _, name = self.fields["SigningCertURL"].partition(_START)
        if start != f"https://{self.host}" or not _NAME.fullmatch(name):
            raise Forged(ELSEWHERE)
        return _START + name

    @property
    def confirming_path(self) -> str:
        """Where on that host a subscription is confirmed: made of signed fields, SubscribeURL is not followed."""
        fields = {"Action": "ConfirmSubscription", "TopicArn": self.topic, "Token": self.fields["Token"]}
        return "/?" + urlencode(fields)


def read_notice(said: dict[str, Any], *, topics: Sequence[str]) -> Notice:
    """The message in an object, before anybody is asked about it.

    `topics` are those we listen to. Raises Unsigned when something is missing, or the topic or time is not ours.
    """
    names = {*SIGNED.get(str(said.get("Type")), ()), *PLAIN}
    fields = {name: said[name] for name in names if name in said and not (name == OPTIONAL and said[name] is None)}
    if names == {*PLAIN} or names - {OPTIONAL, *fields} or not all(_is_plain(*field) for field in fields.items()):
        raise Unsigned(SCHEME.unsigned)
    if fields["TopicArn"] not in topics:
        raise Unsigned(OTHER_TOPIC)
    return Notice(fields, _signature_of(fields), _claim_of(fields))


def _is_plain(name: str, value: object) -> bool:
    """Text of one line, except the message itself: else two readings of a message would have one signature."""
    return isinstance(value, str) and (name == "Message" or "\n" not in value)


def _claim_of(fields: dict[str, str]) -> Claim:
    """A message is taken once for each id; SNS signs it anew for nobody."""
    name = hashlib.sha256(f"{fields['TopicArn']}\n{fields['MessageId']}".encode(errors="surrogatepass")).hexdigest()
    try:
        moment = datetime.fromisoformat(fields["Timestamp"]).timestamp()
    except (ValueError, OverflowError) as error:
        raise Unsigned(SCHEME.unsigned) from error
    return read_claim(str(int(moment)), name, SCHEME)


def _signature_of(fields: dict[str, str]) -> bytes:
    try:
        return b64decode(fields["Signature"], validate=True)
    except ValueError as error:
        raise Unsigned(SCHEME.unsigned) from error
