"""`helpdesk doctor`."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from helpdesk.config import SETTINGS_FILE, load_settings
from helpdesk.doctor.examination import examine, is_ill, mistakes
from helpdesk.doctor.findings import Finding, Level
from helpdesk.errors import Misconfigured

ILL = 1
WORDS = {Level.OK: "ok", Level.WARNING: "look", Level.FAILURE: "bad"}


@click.command()
@click.option("--send-test-mail", metavar="ADDRESS", default="", help="Also send a mail there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding and line.")
def doctor(send_test_mail: str, as_json: bool) -> None:
    """Look at everything the desk stands on, and say what is wrong and what to do.

    Exit code 1 means that something does not work; what deserves a look alone is 0.
    """
    findings = []
    for finding in _findings(send_test_mail):
        click.echo(_as_json(finding) if as_json else f"{WORDS[finding.level]:<5} {finding.area:<11} {finding.sentence}")
        findings.append(finding)
    if is_ill(findings):
        sys.exit(ILL)


def _findings(test_mail_to: str) -> Iterator[Finding]:
    try:
        settings = load_settings()
    except Misconfigured as refusal:
        return mistakes(refusal.message)
    file = Path(os.environ.get(SETTINGS_FILE, "data/helpdesk.env"))
    return examine(settings, settings_file=file, test_mail_to=test_mail_to)


def _as_json(finding: Finding) -> str:
    return json.dumps({"level": finding.level, "area": finding.area, "sentence": finding.sentence}, ensure_ascii=False)
