"""Finding the article a reader writes about."""

from typing import Any

from sqlalchemy import ScalarSelect, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from helpdesk import clock
from helpdesk.articles.canonical import belongs_to, canonical_url
from helpdesk.articles.models import Article, ArticleAlias
from helpdesk.database import db
from helpdesk.sites.models import Site


def find_article(site: Site, url: str) -> Article | None:
    """The article of this site behind a canonical address or one of its aliases."""
    return db.session.scalar(select(Article).where(Article.id == id_of_article(site.id, either_address(url))))


def either_address(url: str | None) -> tuple[str | None, str | None]:
    """A canonical address in both ways a site may write it: with or without the last slash."""
    return (url, url.removesuffix("/") if url.endswith("/") else url + "/") if url else (None, None)


def id_of_article(site_id: int | InstrumentedAttribute[int], either: tuple[Any, Any]) -> ScalarSelect[int]:
    """For a larger statement: the id of the article of a site behind either of two addresses or one of its aliases."""
    article, alias = aliased(Article), aliased(ArticleAlias)
    known = select(article.id).outerjoin(alias, alias.article_id == article.id).where(article.site_id == site_id)
    is_there = or_(article.canonical_url.in_(either), alias.url.in_(either))
    return known.where(is_there).order_by(article.id).limit(1).scalar_subquery()


def find_or_add_article(site: Site, url: str) -> Article | None:
    """The article behind `url`, added when it is new; None when the address is not one of this site's."""
    address = article_address(site, url)
    return article_behind(address, site, known=find_article(site, address)) if address else None


def article_behind(url: str, site: Site, *, known: Article | None) -> Article | None:
    """The `known` article, or a new one for `url`; None when the address is not one of this site's.

    Called inside a verb's transaction. Nothing is fetched: an unknown page has no title yet.
    """
    address = article_address(site, url)
    if address is None or known is not None:
        return known if address else None
    article = Article(site_id=site.id, canonical_url=address, created_at=clock.now())
    db.session.add(article)
    return article


def article_address(site: Site, url: str) -> str | None:
    """The canonical address of `url` when it lies under one of the site's prefixes, else None."""
    address = canonical_url(url)
    return address if address and belongs_to(address, site.url_prefixes) else None
