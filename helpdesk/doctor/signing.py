"""DKIM: the key is ours alone, and everybody finds its public half in the DNS."""

from collections.abc import Iterator

import dns.exception
import dns.resolver

from helpdesk.dkim_key import public_of, published, read_private
from helpdesk.doctor.findings import PATIENCE_SECONDS, Checkup, Finding, bad, fine, look, reason_of

AREA = "dkim"
READABLE_BY_ALL = 0o004


def check_signing(checkup: Checkup) -> Iterator[Finding]:
    """The key file and the record that belongs to it; nothing when mail is not signed here."""
    file = checkup.settings.dkim_key_file
    if file is None:
        return
    if file.stat().st_mode & READABLE_BY_ALL:
        yield bad(AREA, f"Everybody on this machine can read {file} and sign in your name; run: chmod 640 {file}")
    else:
        yield fine(AREA, f"Not everybody can read {file}.")
    yield _check_record(checkup)


def texts_of(name: str) -> list[str]:
    """The TXT records of a name, each put together. Raises DNSException when nobody could say."""
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=PATIENCE_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(record.strings).decode(errors="replace") for record in answer]


def _check_record(checkup: Checkup) -> Finding:
    settings = checkup.settings
    name = f"{settings.dkim_selector}._domainkey.{settings.dkim_domain}"
    try:
        records = texts_of(name)
    except (dns.exception.DNSException, OSError) as error:
        return look(AREA, f"The DNS did not say what {name} holds: {reason_of(error)}; ask again later.")
    file = settings.dkim_key_file
    if not records or file is None:
        return bad(AREA, f"There is no TXT record {name}, so nobody can check our signatures; publish the key there.")
    if public_of(read_private(file), file) not in [published(record) for record in records]:
        return bad(AREA, f"The TXT record {name} holds another key than {file}; publish the one that belongs to it.")
    return fine(AREA, f"The TXT record {name} holds the key that we sign with.")
