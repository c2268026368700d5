"""The exceptions from the rule that the desk fetches nothing from private networks."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from helpdesk.doctor.findings import Checkup, Finding, bad, fine, look

AREA = "fetching"
WIDEST_V4, WIDEST_V6 = 8, 16


def check_fetch_exceptions(checkup: Checkup) -> Iterator[Finding]:
    """One finding for each entry of HELPDESK_FETCH_ALLOW."""
    entries = checkup.settings.fetch_allow
    if not entries:
        yield fine(AREA, "Nothing private may be fetched.")
    for entry in entries:
        if _is_wide(entry):
            yield bad(
                AREA, f"HELPDESK_FETCH_ALLOW opens {entry}, which is nearly everything; name the few hosts instead."
            )
        else:
            yield look(AREA, f"HELPDESK_FETCH_ALLOW lets the desk fetch from {entry}; remove it if that is not needed.")


def _is_wide(entry: str) -> bool:
    try:
        network: IPv4Network | IPv6Network = ip_network(entry)
    except ValueError:
        return False
    return network.prefixlen < (WIDEST_V4 if isinstance(network, IPv4Network) else WIDEST_V6)
