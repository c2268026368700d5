"""The forms of the set-up pages."""

import re
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from helpdesk.contrast import LEAST, contrast
from helpdesk.desk.forms import NAME_LENGTH, CheckboxesField
from helpdesk.sites.models import FormKind, Priority

TEXT_LENGTH = 5000
TINT = "#e9f0f5"  # as in reader.css
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_ASKS = {
    FormKind.MISTAKE: "What is wrong, and what would be right",
    FormKind.QUESTION: "A question",
    FormKind.PAGE: "What does not work, with the browser",
    FormKind.LEGAL: "A concern, with name and address",
    FormKind.TIP: "A tip, which needs no name",
    FormKind.OTHER: "A message",
}


def stripped(value: str | None) -> str:
    """What was typed without the blanks around it."""
    return (value or "").strip()


def row_id(typed: str) -> int:
    """The number of a row as a form or an address names it. Raises ValueError for what can be none."""
    number = int(typed)
    if not 0 < number < 2**31:
        raise ValueError
    return number


def line(label: str, when_missing: str = "", length: int = NAME_LENGTH) -> StringField:
    """A field of one line, which may be empty unless `when_missing` says what to write."""
    control = Regexp(
        r"[^\x00-\x1f\x7f\x85\u2028\u2029]*\Z", message="Line breaks and control characters cannot be here."
    )
    first = InputRequired(when_missing) if when_missing else Optional()
    return StringField(
        label, filters=[stripped], validators=[first, control, Length(max=length, message="That is too long.")]
    )


class QueueForm(FlaskForm):  # type: ignore[misc]
    """What can be decided about a queue."""

    site = SelectField("Publication", coerce=int)
    name = line("Name", "Give the queue a name.")
    intake_address = EmailField(
        "Address readers write to", filters=[stripped], validators=[InputRequired("Write an email address.")]
    )
    sender_name = line("Sender name", "Write the name that readers see.")
    signature = TextAreaField(
        "Signature", filters=[stripped], validators=[Length(max=TEXT_LENGTH, message="That is too long.")]
    )
    restricted = BooleanField("Restricted: only members see its tickets, admins and editors too")
    members = CheckboxesField("Members", coerce=int)


class MoveForm(FlaskForm):  # type: ignore[misc]
    """Where everything moves when its place goes."""

    into = SelectField("Move everything to", coerce=int)


class TopicForm(FlaskForm):  # type: ignore[misc]
    """What can be decided about a topic."""

    label = line("What readers choose", "Write what readers choose.")
    slug = line("Short name", length=40)
    form_kind = SelectField("The form asks for", choices=[SelectChoice(kind.value, _ASKS[kind]) for kind in FormKind])
    queue = SelectField("Tickets wait in", coerce=int)
    priority = SelectField(
        "Priority",
        choices=[SelectChoice(one.value, one.value.capitalize()) for one in Priority],
        default=Priority.NORMAL.value,
    )
    position = IntegerField(
        "Place in the list", default=0, validators=[NumberRange(0, 1000, message="Write a number from 0 on.")]
    )
    active = BooleanField("Readers can choose it", default=True)


class SiteForm(FlaskForm):  # type: ignore[misc]
    """What can be decided about a publication."""

    name = line("Name", "Give the publication a name.")
    home_url = line("Home page", "Write the address of its home page.", 500)
    url_prefixes = TextAreaField(
        "Where its articles are", filters=[stripped], validators=[Length(max=TEXT_LENGTH, message="That is too long.")]
    )
    language = StringField(
        "Language",
        filters=[stripped],
        default="en",
        validators=[Regexp(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z", message="Write a code such as en, de or pt-BR.")],
    )
    timezone = StringField("Time zone", filters=[stripped], default="UTC")
    contact_text = TextAreaField(
        "Other ways to reach you", filters=[stripped], validators=[Length(max=TEXT_LENGTH, message="That is too long.")]
    )
    accent = StringField("Colour", filters=[stripped])
    answer_within = line("You answer within", "Write how soon readers may expect an answer.")
    reopen_days = IntegerField(
        "Days in which an answer opens a closed ticket again",
        default=30,
        validators=[NumberRange(0, 3650, message="Write a number of days.")],
    )
    files_thanks = BooleanField("A closed ticket stays closed when its reader only says thank you")
    is_default = BooleanField("The default publication: its form is at /contact")

    def validate_timezone(self, field: Any) -> None:
        """A zone the machine knows."""
        if field.data not in available_timezones():
            raise ValidationError("Write a time zone such as Europe/Berlin.")

    def validate_accent(self, field: Any) -> None:
        """A colour that can be read wherever a page for readers is palest, and white on it."""
        if field.data and not _COLOUR.fullmatch(field.data):
            raise ValidationError("Write a colour such as #1f5578, or nothing.")
        if field.data and contrast(field.data, TINT) < LEAST:
            found = f"{contrast(field.data, TINT):.1f}"
            raise ValidationError(
                f"Its contrast on our pages is {found}, and people need {LEAST}. Choose a darker one."
            )

    @property
    def prefixes(self) -> list[str]:
        """One web address a line."""
        return str(self.url_prefixes.data or "").split()


class NewSiteForm(SiteForm):
    """A new publication needs a first queue, where all its topics wait."""

    queue_name = line("Name of its first queue", "Give the queue a name.")
    intake_address = EmailField(
        "Address readers write to", filters=[stripped], validators=[InputRequired("Write an email address.")]
    )


class TagNameForm(FlaskForm):  # type: ignore[misc]
    """Another word for a tag."""

    name = line("Name", "Write a word.")


class ReaderForm(FlaskForm):  # type: ignore[misc]
    """What staff know about a reader."""

    name = line("Name")
    note = TextAreaField(
        "What staff should know", filters=[stripped], validators=[Length(max=TEXT_LENGTH, message="That is too long.")]
    )


class AddressForm(FlaskForm):  # type: ignore[misc]
    """An email address."""

    address = EmailField(
        "Email address", filters=[stripped], validators=[InputRequired("Write an email address first.")]
    )
