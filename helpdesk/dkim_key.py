"""The key that our mail is signed with: read from its file, or a sentence why not."""

from pathlib import Path
from typing import NamedTuple

LEAST_BITS = 1024  # RFC 8301 §3.2: nobody believes a shorter one


class PublicKey(NamedTuple):
    """What everybody may know of an RSA key."""

    modulus: int
    exponent: int


def read_private(file: Path) -> bytes:
    """The RSA key in a PEM file, as it is needed to sign. Raises ValueError with a sentence."""
    try:
        key = file.read_bytes().replace(b"\r\n", b"\n").strip()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror or type(error).__name__}") from error
    if public_of(key, file).modulus.bit_length() < LEAST_BITS:
        raise ValueError(f"the key in {file} has fewer than {LEAST_BITS} bits; make one of 2048")
    return key


def public_of(key: bytes, file: Path) -> PublicKey:
    """The public half of a private key in PEM. Raises ValueError when it is no RSA key, or has a password."""
    from dkim import crypto  # noqa: PLC0415 a start without a key need not wait for it

    try:
        parts = crypto.parse_pem_private_key(key)
        return PublicKey(parts["modulus"], parts["publicExponent"])
    except Exception as error:
        raise ValueError(f"{file} holds no RSA key in PEM without a password") from error


def published(record: str) -> PublicKey | None:
    """The key in a DNS record of DKIM, None when there is none in it (RFC 6376 §3.6.1)."""
    import dkim  # noqa: PLC0415

    try:
        key, _, kind, _ = dkim.evaluate_pk(b"", record.encode())
    except Exception:
        return None
    return PublicKey(key["modulus"], key["publicExponent"]) if kind == b"rsa" else None
