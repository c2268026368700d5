"""Whether a certificate of Amazon's, as it is at this moment, goes with a signature."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from helpdesk import clock
from helpdesk.intake.signing import Forged

LEAST_BITS = 2048
HASHES = {"1": SHA1(), "2": SHA256()}  # noqa: S303 what SNS signs with unless told otherwise; nobody finds a second text
WRONG = "The signature does not fit the certificate."
OUT_OF_DATE = "The certificate has expired, or is not valid yet."


def check_signature(certificate: bytes, *, signature: bytes, text: bytes, version: str) -> None:
    """Check RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2) of a text, with SHA-1 for version 1 and SHA-256 for 2.

    `certificate` is in PEM. Raises Forged.
    """
    key = _key_in(certificate)
    if version not in HASHES:
        raise Forged(WRONG)
    try:
        key.verify(signature, text, PKCS1v15(), HASHES[version])
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise Forged(WRONG) from error


def _key_in(certificate: bytes) -> RSAPublicKey:
    try:
        loaded = load_pem_x509_certificate(certificate)
        key = loaded.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Forged(WRONG) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_BITS:
        raise Forged(WRONG)
    if not loaded.not_valid_before_utc <= clock.now() <= loaded.not_valid_after_utc:
        raise Forged(OUT_OF_DATE)
    return key
