"""The doctor's own question to the desk, signed and good for a minute: how does a request arrive?"""

import struct

from helpdesk import clock
from helpdesk.tokens import Keyring, Kind

PATH = "/health/proxy"
GOOD_FOR_SECONDS = 60
_MOMENT = struct.Struct(">Q")


def issue(keyring: Keyring) -> str:
    """A token for one question, from now on."""
    return keyring.issue(Kind.PROBE, _MOMENT.pack(int(clock.now().timestamp())))


def is_good(keyring: Keyring, token: str) -> bool:
    """True for a token of ours that is not older than a minute."""
    payload = keyring.read(Kind.PROBE, token)
    if payload is None or len(payload) != _MOMENT.size:
        return False
    (issued,) = _MOMENT.unpack(payload)
    return bool(abs(clock.now().timestamp() - issued) <= GOOD_FOR_SECONDS)
