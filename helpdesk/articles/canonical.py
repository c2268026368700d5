"""One address for one page, whatever way a reader came to it."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MAX_URL = 2000
TRACKING = frozenset({"fbclid", "gclid", "dclid", "msclkid", "igshid", "yclid", "ref", "ref_src", "amp", "share", "si"})
TRACKING_PREFIXES = ("utm_", "mc_", "pk_", "mtm_", "__hs", "_hs")
INDEX_PAGES = ("index.html", "index.htm", "index.php")


def canonical_url(url: str) -> str | None:
    """The address of the page behind `url`, or None when it is no web address of a page.

    Scheme and host in lower case and IDNA; default port, user, fragment, tracking parameters, index pages and
    AMP endings dropped. The scheme becomes https, because a page is the same page over both.
    """
    if len(url) > MAX_URL or any(ord(letter) < 33 or ord(letter) == 127 for letter in url.strip()):
        return None
    try:
        parts = urlsplit(url.strip())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host:
        return None
    netloc = host if port in (None, 80, 443) else f"{host}:{port}"
    scheme = "https" if port in (None, 80, 443) else parts.scheme.lower()
    return urlunsplit((scheme, netloc, _path(parts.path), _query(parts.query), ""))


def belongs_to(url: str, prefixes: list[str]) -> int:
    """How long the longest of a site's prefixes is that `url` (canonical) lies under; 0 when none.

    A prefix ends at a host or path boundary: example.org/de is not a prefix of example.org/democracy, and
    example.org is none of example.org.evil.example.
    """
    return max(
        (len(prefix) for prefix in map(canonical_url, prefixes) if prefix and _is_under(url, prefix)),
        default=0,
    )


def _is_under(url: str, prefix: str) -> bool:
    base = prefix.rstrip("/")
    return url == base or url.startswith((base + "/", base + "?"))


def _host(host: str) -> str:
    return host.rstrip(".").encode("idna").decode().lower() if host else ""


def _path(path: str) -> str:
    head, _, last = path.rpartition("/")
    if last.lower() in INDEX_PAGES:
        path = head + "/"
    if path.rstrip("/").endswith("/amp"):
        path = path.rstrip("/").removesuffix("amp")
    return path.removesuffix(".amp") or "/"


def _query(query: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if not _is_tracking(name)]
    return urlencode(kept)


def _is_tracking(name: str) -> bool:
    return name.lower() in TRACKING or name.lower().startswith(TRACKING_PREFIXES)
