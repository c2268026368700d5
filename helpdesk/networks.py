"""Who asks, as limits see it: one household or machine, and the network it is in."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

UNKNOWN = "unknown"
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


def host_of(address: str) -> str:
    """An IPv4 address, or the /64 that one line has in IPv6: whoever has it may choose among all addresses in it."""
    return _network(address, v4=32, v6=64)


def network_of(address: str) -> str:
    """The network that one person or firm has: /24 for IPv4, /48 for IPv6."""
    return _network(address, v4=24, v6=48)


def _network(address: str, *, v4: int, v6: int) -> str:
    """All that is no address counts as one: nobody gets a limit of his own by writing nonsense."""
    parsed = _parse(address)
    if parsed is None:
        return UNKNOWN
    return str(ip_network((parsed, v4 if isinstance(parsed, IPv4Address) else v6), strict=False))


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    """The address without port and zone; one of IPv4 written as IPv6 (RFC 4291 §2.5.5.2) is one of IPv4."""
    text = address.strip()
    with_port = _WITH_PORT.fullmatch(text)
    if with_port is not None:
        text = with_port.group(1) or with_port.group(2)
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
