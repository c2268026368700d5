"""Certificates for the servers of a test: a good one, and each way of being bad."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = "DNS:localhost,IP:127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its key; it is its own authority."""

    chain: Path
    key: Path


def make_certificate(folder: Path, name: str, *, names: str = HERE, days: int = 2) -> Certificate:
    """Write a certificate for `names`, valid for `days` from now; a negative number makes an expired one."""
    chain, key, request, extensions = (folder / f"{name}.{kind}" for kind in ("pem", "key", "csr", "ext"))
    extensions.write_text(f"subjectAltName={names}\n")
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
    _openssl(
        "x509", "-req", "-in", str(request), "-key", str(key), "-days", str(days),
        "-extfile", str(extensions), "-out", str(chain),
    )  # fmt: skip
    key.chmod(0o600)
    return Certificate(chain, key)


def _openssl(*arguments: str) -> None:
    subprocess.run(("openssl", *arguments), check=True, capture_output=True)
