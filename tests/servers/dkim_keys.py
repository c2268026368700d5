"""Keys as an owner makes them, and what he publishes of them."""

import subprocess
from base64 import b64encode
from pathlib import Path


def make_key(folder: Path, name: str = "dkim.pem", *, bits: int = 2048, traditional: bool = False) -> Path:
    """A new RSA key in PEM, readable by its owner alone."""
    file = folder / name
    form = ["-traditional"] if traditional else []
    made = subprocess.run(["openssl", "genrsa", *form, str(bits)], check=True, capture_output=True)
    file.write_bytes(made.stdout)
    file.chmod(0o600)
    return file


def record_of(file: Path) -> str:
    """The TXT record that belongs to a key, as docs/mail.md makes it."""
    command = ["openssl", "rsa", "-in", str(file), "-pubout", "-outform", "der"]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    return f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"
