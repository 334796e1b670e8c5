"""What a caller decides, so that the library need not ask the environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from oxcore.model.commits import Moment, Person
from oxcore.model.protocols import Progress, Quiet


def local_time() -> Moment:
    """The present, with the zone of this machine."""
    now = time.time_ns() // 1000
    return Moment(now, time.localtime(now / 1e6).tm_gmtoff // 60)


class Settings:
    """What the caller decides: author of commits and operations, clock, progress, patterns to
    ignore besides ``.oxignore``, seconds to wait for another writer, settings that stand
    behind the repository's own, and the token for the URL of a remote (None: there is none)."""

    def __init__(
        self,
        author: Person | None = None,
        clock: Callable[[], Moment] = local_time,
        progress: Progress | None = None,
        excludes: tuple[str, ...] = (),
        lock_wait: float = 5.0,
        defaults: Mapping[str, str] | None = None,
        token_for: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.author = author
        self.clock = clock
        self.progress = progress or Quiet()
        self.excludes = excludes
        self.lock_wait = lock_wait
        self.defaults = defaults or {}
        self.token_for = token_for

    def of(self, author: Person | None) -> Settings:
        """The same with another author."""
        return Settings(**{**vars(self), "author": author})
