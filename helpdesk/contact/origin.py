"""Whether a post comes from one of our own pages (Fetch Metadata; RFC 6454 for the Origin header)."""

from urllib.parse import urlsplit

from flask import request

HERE = ("same-origin", "none")


def is_from_here(*, hides_origin: bool = False) -> bool:
    """True unless the browser says that another site's page sent this.

    `hides_origin` is for pages with `Referrer-Policy: no-referrer`: browsers then write `Origin: null`.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site in HERE
    origin = request.headers.get("Origin")
    if origin is None or (hides_origin and origin == "null"):
        return True
    return urlsplit(origin).netloc == request.host
