"""Finding the article a reader writes about."""

from sqlalchemy import or_, select

from helpdesk import clock
from helpdesk.articles.canonical import belongs_to, canonical_url
from helpdesk.articles.models import Article, ArticleAlias
from helpdesk.database import db
from helpdesk.sites.models import Site


def find_article(site: Site, url: str) -> Article | None:
    """The article of this site behind a canonical address or one of its aliases."""
    slash = url.removesuffix("/") if url.endswith("/") else url + "/"
    either = (url, slash)  # a site may write its addresses with or without the last slash
    known = (
        select(Article)
        .outerjoin(ArticleAlias)
        .where(Article.site_id == site.id, or_(Article.canonical_url.in_(either), ArticleAlias.url.in_(either)))
        .order_by(Article.id)
    )
    return db.session.scalars(known).first()


def find_or_add_article(site: Site, url: str) -> Article | None:
    """The article behind `url`, added when it is new; None when the address is not one of this site's.

    Called inside a verb's transaction. Nothing is fetched: an unknown page has no title yet.
    """
    address = article_address(site, url)
    if address is None:
        return None
    article = find_article(site, address)
    if article is None:
        article = Article(site_id=site.id, canonical_url=address, created_at=clock.now())
        db.session.add(article)
    return article


def article_address(site: Site, url: str) -> str | None:
    """The canonical address of `url` when it lies under one of the site's prefixes, else None."""
    address = canonical_url(url)
    return address if address and belongs_to(address, site.url_prefixes) else None
