"""Which article a reader comes from: the link says so, else the browser does, and only the site's own pages count."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import request

from helpdesk.articles.operations import article_address, find_article
from helpdesk.sites.models import Site


@dataclass(frozen=True)
class About:
    """The page a message is about; no address means the whole site. `is_foreign`: one was given that is not ours."""

    address: str = ""
    title: str = ""
    is_foreign: bool = False

    @property
    def shown_address(self) -> str:
        """The address as people read it."""
        return self.address.partition("://")[2]


def about_of_request(site: Site) -> About:
    """The page named by `?url=`, else by the Referer header."""
    if "url" in request.args:
        return about(site, request.args["url"])
    return about(site, _referring_page(), is_said=False)


def about(site: Site, url: str, *, is_said: bool = True) -> About:
    """What we know of an address; `is_said` False when the reader did not choose it and need not hear of it."""
    address = article_address(site, url) if url else None
    if address is None:
        return About(is_foreign=bool(url) and is_said)
    article = find_article(site, address)
    return About(address, article.title) if article else About(address)


def _referring_page() -> str:
    """The page the reader comes from; a bare host says no more than that it was some page of it."""
    referrer = request.referrer or ""
    try:
        return referrer if urlsplit(referrer).path.strip("/") else ""
    except ValueError:
        return ""
