"""The forms of the desk; each carries its CSRF token, and every field it takes is named here."""

from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, EmailField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from helpdesk.agents.models import UNDO_SECONDS, AfterSend
from helpdesk.agents.roles import Role
from helpdesk.sites.models import Priority
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.models import Resolution, Then

BODY_LENGTH = 100_000
NAME_LENGTH = 100


def _stripped(value: str | None) -> str:
    return (value or "").strip()


def _name(when_missing: str) -> StringField:
    control = "A name has no line breaks or control characters."
    validators = [
        InputRequired(when_missing),
        Regexp(r"[^\x00-\x1f\x7f\x85\u2028\u2029]*\Z", message=control),
        Length(max=NAME_LENGTH, message="That name is too long."),
    ]
    return StringField("Name", filters=[_stripped], validators=validators)


class WritingForm(FlaskForm):  # type: ignore[misc]
    """A text with files."""

    body = TextAreaField(default="", validators=[Length(max=BODY_LENGTH, message="That is too long for one mail.")])
    files = MultipleFileField()


class ReplyForm(WritingForm):
    """A text to the reader, what becomes of the ticket then, what its writer had seen (message and copies), and
    whether he is sure of what the desk doubted.
    """

    then = SelectField(choices=[choice.value for choice in Then], default=Then.SEND.value)
    seen = IntegerField(validators=[InputRequired()])
    copies = StringField()
    sure = BooleanField()


class NoteForm(WritingForm):
    """A text among the staff."""


class DraftForm(WritingForm):
    """An unsent text, and the prepared text to put into it."""

    kind = SelectField(choices=[kind.value for kind in DraftKind])
    canned = IntegerField(validators=[Optional()])


class AssignForm(FlaskForm):  # type: ignore[misc]
    """Whose ticket it is; empty for nobody's."""

    assignee = IntegerField(validators=[Optional()])


class CloseForm(FlaskForm):  # type: ignore[misc]
    """How it ended."""

    resolution = SelectField(choices=[r.value for r in Resolution if r is not Resolution.SPAM])


class TopicForm(FlaskForm):  # type: ignore[misc]
    """What it is about; empty for nothing on the list."""

    topic = IntegerField(validators=[Optional()])


class PriorityForm(FlaskForm):  # type: ignore[misc]
    """How soon it wants somebody."""

    priority = SelectField(choices=[priority.value for priority in Priority])


class QueueForm(FlaskForm):  # type: ignore[misc]
    """Where it waits."""

    queue = IntegerField(validators=[InputRequired()])


class ReaderForm(FlaskForm):  # type: ignore[misc]
    """Whose concern it is."""

    address = StringField(filters=[_stripped], validators=[InputRequired("Write the reader’s email address.")])
    name = StringField(filters=[_stripped], validators=[Length(max=NAME_LENGTH, message="That name is too long.")])


class TagForm(FlaskForm):  # type: ignore[misc]
    """One tag."""

    name = StringField(validators=[InputRequired("Write a tag first.")])


class ParticipantForm(FlaskForm):  # type: ignore[misc]
    """Who gets our replies too."""

    address = EmailField(filters=[_stripped], validators=[InputRequired("Write an email address first.")])


class CannedReplyForm(FlaskForm):  # type: ignore[misc]
    """A prepared text."""

    site = SelectField("Publication", coerce=int)
    name = StringField(
        "Name", filters=[_stripped], validators=[InputRequired("Give it a name."), Length(max=NAME_LENGTH)]
    )
    body = TextAreaField("Text", validators=[InputRequired("Write the text."), Length(max=BODY_LENGTH)])


_SECONDS = [SelectChoice(number, f"{number} seconds") for number in (5, 10, 20, 30)]


class AccountForm(FlaskForm):  # type: ignore[misc]
    """What an agent may change about the own account."""

    name = StringField(
        "Name",
        filters=[_stripped],
        validators=[InputRequired("Readers need a name to answer to."), Length(max=NAME_LENGTH)],
    )
    timezone = StringField("Time zone", filters=[_stripped])
    keyboard = BooleanField("Single keys, such as j and r")
    after_send = SelectField(
        "After sending",
        choices=[
            SelectChoice(AfterSend.STAY.value, "Stay on the ticket"),
            SelectChoice(AfterSend.NEXT.value, "Go to the next ticket"),
            SelectChoice(AfterSend.LIST.value, "Go back to the list"),
        ],
    )

    undo_seconds = SelectField(
        "Time to undo a reply",
        coerce=int,
        default=UNDO_SECONDS,
        choices=[
            SelectChoice(0, "None: it leaves at once"),
            *_SECONDS,
        ],
    )

    def validate_timezone(self, field: Any) -> None:
        """A zone the machine knows."""
        if field.data not in available_timezones():
            raise ValidationError("Write a time zone such as Europe/Berlin.")


class CheckboxesField(SelectMultipleField):  # type: ignore[misc]
    """Several choices as a list of boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class AgentForm(FlaskForm):  # type: ignore[misc]
    """What an admin decides about a colleague's account."""

    role = SelectField(
        "Role",
        choices=[
            SelectChoice(Role.AGENT.value, "Agent: answers"),
            SelectChoice(Role.EDITOR.value, "Editor: also looks after texts and mail"),
            SelectChoice(Role.ADMIN.value, "Admin: also looks after accounts"),
        ],
    )
    queues = CheckboxesField("Queues", coerce=int)


class NewAgentForm(AgentForm):
    """A new colleague."""

    name = StringField(
        "Name",
        filters=[_stripped],
        validators=[InputRequired("Write the name readers will see."), Length(max=NAME_LENGTH)],
    )
    email = EmailField("Email address", filters=[_stripped], validators=[InputRequired("Write an email address.")])


def first_error(form: Any) -> str:
    """The first thing wrong with a form, as a sentence."""
    for problems in form.errors.values():
        for problem in problems:
            return str(problem)
    return "Choose one of the options."
