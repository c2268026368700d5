"""What a worker takes and what becomes of it: Claim, Outcome, Blame, Delivery."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from helpdesk import clock

MOST_ABANDONED = 3


class Outcome(StrEnum):
    """How one try ended; unknown when the server took the mail's last byte and never answered."""

    SENT = "sent"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class Blame(StrEnum):
    """Whose fault a try that did not end well was, as far as other mail must wait for it too."""

    NOBODY = "nobody"
    DESTINATION = "destination"
    RELAY = "relay"


@dataclass(frozen=True)
class Claim:
    """One delivery that this worker may try; `attempt` fences off a worker whose lease ran out.

    `abandoned` is how many workers took it before and never said how it went.
    """

    recipient_id: int
    attempt: int
    abandoned: int = 0
    claimed_at: datetime = field(default_factory=clock.now)

    @property
    def is_hopeless(self) -> bool:
        """True when it ended too many workers to be tried by another."""
        return self.abandoned >= MOST_ABANDONED


@dataclass(frozen=True)
class Delivery:
    """What became of a claim, for the record."""

    claim: Claim
    outcome: Outcome
    error: str = ""
    blame: Blame = Blame.NOBODY
