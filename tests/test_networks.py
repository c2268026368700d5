"""Who asks, as limits see it."""

import pytest

from helpdesk.networks import UNKNOWN, host_of, network_of


@pytest.mark.parametrize(
    ("address", "host", "network"),
    [
        ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("192.0.2.77:51234", "192.0.2.77/32", "192.0.2.0/24"),
        (" 192.0.2.77 ", "192.0.2.77/32", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("::FFFF:c000:24d", "192.0.2.77/32", "192.0.2.0/24"),
        ("[::ffff:192.0.2.77]:443", "192.0.2.77/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:1:2:ffff::9", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("[2001:db8:1:2::4]:443", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("fe80::1%25en1", "fe80::/64", "fe80::/48"),
        ("::1", "::/64", "::/48"),
    ],
)
def test_one_line_has_one_host_and_one_network_however_it_is_written(address: str, host: str, network: str) -> None:
    assert (host_of(address), network_of(address)) == (host, network)


@pytest.mark.parametrize(
    "address",
    ["", "unknown", "a pipe", "_hidden", "192.0.2.300", "192.0.2", "192.0.2.1, 192.0.2.2", "1:2:3", "::ffff:999.1.1.1",
     "192.0.2.07", "\x00", "%eth0", "[", "[]:1", "é" * 10_000],
)  # fmt: skip
def test_nonsense_is_one_host_and_earns_no_limit_of_its_own(address: str) -> None:
    assert (host_of(address), network_of(address)) == (UNKNOWN, UNKNOWN)
