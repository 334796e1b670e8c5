"""Pages for people: plain HTML made here, no scripts, everything escaped."""

from oxcore.hub.pages.failure import error_page
from oxcore.hub.pages.index import index_page
from oxcore.hub.pages.repo import repo_page

__all__ = ["error_page", "index_page", "repo_page"]
