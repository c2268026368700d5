"""All checks in order; whatever one of them stumbles over is a finding too."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from helpdesk.config import Settings
from helpdesk.doctor.addressing import check_base_url
from helpdesk.doctor.clocks import check_clock, check_time_zones
from helpdesk.doctor.databases import check_database, check_migrations
from helpdesk.doctor.fetching import check_fetch_exceptions
from helpdesk.doctor.findings import Check, Checkup, Finding, Level, bad, fine, reason_of
from helpdesk.doctor.keys import check_keys
from helpdesk.doctor.outbox import check_outbox
from helpdesk.doctor.receiving import check_lmtp, check_mailboxes
from helpdesk.doctor.sending import check_smtp_server
from helpdesk.doctor.signing import check_signing
from helpdesk.doctor.storage import check_disk, check_file_store, check_folder, check_jobs, check_settings_file

CHECKS: tuple[Check, ...] = (
    check_settings_file, check_keys, check_database, check_migrations, check_folder, check_disk, check_file_store,
    check_jobs, check_smtp_server, check_signing, check_outbox, check_mailboxes, check_lmtp, check_base_url,
    check_clock, check_time_zones, check_fetch_exceptions,
)  # fmt: skip


def examine(
    settings: Settings, *, settings_file: Path | None = None, test_mail_to: str = "", checks: Iterable[Check] = CHECKS
) -> Iterator[Finding]:
    """Every finding, one after the other; raises nothing. `test_mail_to` is the address that gets a mail, if any."""
    checkup = Checkup(settings, settings_file, test_mail_to)
    yield fine("settings", "Every setting can be meant.")
    for check in checks:
        yield from _run(check, checkup)


def mistakes(message: str) -> Iterator[Finding]:
    """One finding for each setting that is wrong, from what `load_settings` said."""
    return (bad("settings", line) for line in message.splitlines())


def is_ill(findings: Iterable[Finding]) -> bool:
    """True when something does not work."""
    return any(finding.level is Level.FAILURE for finding in findings)


def _run(check: Check, checkup: Checkup) -> Iterator[Finding]:
    try:
        yield from check(checkup)
    except Exception as error:  # a check that breaks must not keep the others from telling
        name = check.__name__.removeprefix("check_").replace("_", " ")
        said = f"{type(error).__name__}: {reason_of(error)}"
        yield bad("doctor", f"The check of {name} broke off ({said}); what it looks at may be ill in a new way.")
