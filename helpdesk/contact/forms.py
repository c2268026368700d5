"""The two forms of readers: a first message, and one more for their ticket."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField
from wtforms.validators import ValidationError

from helpdesk import addresses
from helpdesk.errors import Invalid
from helpdesk.sites.models import Topic

MOST_NAME = 100
MOST_EMAIL = addresses.MAX_LENGTH
MOST_MESSAGE = 20_000
MOST_SUGGESTION = 5_000

YES, NO = "yes", "no"
SUGGESTION_LABEL = "How it should read:"
_TURNS_TEXT = re.compile("[\u202a-\u202e\u2066-\u2069]")


def one_line(text: str | None) -> str:
    """A line as typed, without blanks around it."""
    return (text or "").strip()


def plain_text(text: str | None) -> str:
    """A text with plain line ends and without control characters, tabs excepted."""
    lines = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def filled(sentence: str) -> Callable[[Any, Field], None]:
    """Refuse an empty field with this sentence."""

    def check(_form: object, field: Field) -> None:
        if not field.data:
            raise ValidationError(sentence)

    return check


def at_most(length: int, what: str) -> Callable[[Any, Field], None]:
    """Refuse a text of more than `length` characters."""

    def check(_form: object, field: Field) -> None:
        if len(field.data) > length:
            raise ValidationError(
                f"{what} is {len(field.data):,} characters long. Shorten it to {length:,} characters or fewer."
            )

    return check


def without_control_characters(what: str) -> Callable[[Any, Field], None]:
    """Refuse line breaks, invisible control characters and signs that turn the text around."""

    def check(_form: object, field: Field) -> None:
        if addresses.CONTROL.search(field.data) or _TURNS_TEXT.search(field.data):
            raise ValidationError(f"{what} has characters that cannot be shown. Type it again, on one line.")

    return check


class ReaderForm(FlaskForm):  # type: ignore[misc]
    """A form whose post is proven by a signed token of its own, so that no session is needed."""

    class Meta:
        csrf = False

    field_order: tuple[str, ...] = ("message", "files")
    message = TextAreaField(
        filters=[plain_text], validators=[filled("Write your message"), at_most(MOST_MESSAGE, "Your message")]
    )

    @property
    def body(self) -> str:
        """What the reader wrote, as one text."""
        return str(self.message.data)


class ContactForm(ReaderForm):
    """A reader's first message. `topics` are those that may be chosen."""

    topic = StringField(filters=[one_line])
    name = StringField(
        filters=[one_line],
        validators=[without_control_characters("Your name"), at_most(MOST_NAME, "Your name")],
    )
    answer = StringField(filters=[one_line], default=YES)
    email = StringField(filters=[one_line])
    suggestion = TextAreaField(filters=[plain_text], validators=[at_most(MOST_SUGGESTION, "How it should read")])
    website = StringField(filters=[one_line])

    field_order = ("topic", "message", "suggestion", "files", "answer", "email", "name")

    def __init__(self, formdata: Any = None, *, topics: list[Topic], **values: Any) -> None:
        super().__init__(formdata, **values)
        self.topics = topics

    @property
    def chosen_topic(self) -> Topic | None:
        """The topic that was chosen, if it is one of the site's."""
        return next((topic for topic in self.topics if topic.slug == self.topic.data), None)

    @property
    def wants_answer(self) -> bool:
        """True when the reader asked for an answer."""
        return bool(self.answer.data == YES)

    @property
    def body(self) -> str:
        """The message, and the wording the reader suggests under its own line."""
        suggestion = f"\n\n{SUGGESTION_LABEL}\n{self.suggestion.data}" if self.suggestion.data else ""
        return f"{self.message.data}{suggestion}"

    def validate_topic(self, _field: Field) -> None:
        """One of the topics on the page."""
        if self.chosen_topic is None:
            raise ValidationError("Choose what your message is about")

    def validate_answer(self, field: Field) -> None:
        """Yes or no."""
        if field.data not in (YES, NO):
            raise ValidationError("Choose whether you want an answer")

    def validate_email(self, field: Field) -> None:
        """One address; it may be left out when no answer is wanted."""
        if not field.data:
            if self.wants_answer:
                raise ValidationError("Enter your email address, or choose that you want no answer")
            return
        try:
            field.data = addresses.check(field.data)
        except Invalid as problem:
            raise ValidationError(problem.message) from problem


class FollowUpForm(ReaderForm):
    """One more message from a reader whose ticket it is."""
