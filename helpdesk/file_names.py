"""File names from outside, made safe once, before anything looks at them."""

import re
import unicodedata

NAME_LENGTH = 200
WORDS_LENGTH = 100

_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/rfc822-headers": ".txt",
    "text/x-vcard": ".vcf",
    "text/vcard": ".vcf",
    "application/pgp-signature": ".asc",
    "application/pgp-encrypted": ".txt",
    "application/pgp-keys": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m",
    "application/ms-tnef": ".dat",
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "message/feedback-report": ".txt",
    "message/disposition-notification": ".txt",
}
_STEMS = {
    "message/rfc822": "message",
    "message/delivery-status": "delivery-status",
    "message/feedback-report": "feedback-report",
    "message/disposition-notification": "disposition-notification",
    "text/rfc822-headers": "headers",
    "text/calendar": "invitation",
    "application/pgp-signature": "signature",
    "application/pgp-encrypted": "pgp-version",
    "application/pkcs7-signature": "smime",
    "application/x-pkcs7-signature": "smime",
    "application/pkcs7-mime": "smime",
    "application/x-pkcs7-mime": "smime",
    "application/ms-tnef": "winmail",
}
_PATH_PART = re.compile(r"[/\\]")
_SPACES = re.compile(r"\s+")


def safe_name(name: str, media_type: str) -> str:
    """A file name without path, control, bidi and zero-width characters, leading dot, or excess length.

    `media_type` names the file when nothing is left ("attachment.png").
    """
    visible = "".join(c for c in unicodedata.normalize("NFC", name) if _is_visible(c))
    last = _PATH_PART.split(visible)[-1]
    bare = _SPACES.sub(" ", last).strip().lstrip(". ").rstrip(". ")
    return _shortened(bare) if bare else _default(media_type)


def name_of(words: str, media_type: str) -> str:
    """A file name out of what describes a file: the words, and the ending that its type has ("Delivery report.txt")."""
    ending = _EXTENSIONS.get(media_type, "")
    return (
        words if not words.strip() or words.lower().endswith(ending) else f"{words.strip(' .')[:WORDS_LENGTH]}{ending}"
    )


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _shortened(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if len(name) <= NAME_LENGTH or not dot or len(extension) > 16:
        return name[:NAME_LENGTH].rstrip(". ")
    return f"{stem[: NAME_LENGTH - len(extension) - 1]}.{extension}"


def _default(media_type: str) -> str:
    return _STEMS.get(media_type, "attachment") + _EXTENSIONS.get(media_type, "")
