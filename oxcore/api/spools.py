"""What captured records wait in: looked at, sent, and asked what went wrong."""

from __future__ import annotations

import os
from typing import NamedTuple

from oxcore.api import surroundings
from oxcore.api.repo import Repo
from oxcore.api.targets import target_opener
from oxcore.capturing import Sent, Where, spools, upkeep
from oxcore.capturing.trouble import Told, Trouble
from oxcore.capturing.upkeep import Flushed, Waiting
from oxcore.errors import InvalidError


class Report(NamedTuple):
    """What the doctor has to say: the spools, and the troubles of places that have none."""

    spools: list[Waiting]
    troubles: list[Told]

    @property
    def sound(self) -> bool:
        """Whether nothing went wrong, and nothing waits for a process that is gone."""
        fine = all(not (one.troubles or one.bad or one.dropped) for one in self.spools)
        return fine and not self.troubles and all(one.alive == one.writers for one in self.spools)


def folders(repo: Repo | None = None) -> list[str]:
    """The spools of a repository, and those of the user for hubs."""
    own = [] if repo is None else spools(os.path.join(repo.folder, "capture"))
    return [*own, *spools(surroundings.captures())]


def waiting(repo: Repo | None = None) -> list[Waiting]:
    """What waits in the spools of a repository, and in those of the user for hubs."""
    return [upkeep.look(folder) for folder in folders(repo)]


def flush_spool(folder: str, *, patience: float = 10.0) -> Flushed:
    """Send what is in one spool: what dead processes left, now; living ones are asked to send
    theirs, and waited for. Raises ``OxError``."""
    return upkeep.flush(folder, target_opener(surroundings.settings()), patience)


def replay(
    folder: str,
    *,
    repo: str | None = None,
    branch: str | None = None,
    directory: str | None = None,
) -> Sent:
    """Send a spool that no process uses any more, such as one from another machine, to where it
    says or to another ``repo`` (path or URL), ``branch``, ``directory``. Sending it twice changes
    nothing. Raises ``OxError``."""
    told = upkeep.look(folder).where
    if repo is not None and "://" not in repo:
        with Repo.open(repo) as found:
            repo = found.path
    where = Where(repo or told.address, branch or told.branch, directory or told.directory)
    if upkeep.look(folder).alive:
        raise InvalidError(f"{folder} is in use", hint="ox capture flush sends it")
    return upkeep.replay(folder, target_opener(surroundings.settings()), where)


def doctor(repo: Repo | None = None) -> Report:
    """What went wrong with capture, and what waits for whom."""
    return Report(waiting(repo), _homeless().all())


def forget(repo: Repo | None = None) -> None:
    """Forget all troubles: somebody has read them."""
    for folder in folders(repo):
        upkeep.clear(folder)
    _homeless().forget()


def _homeless() -> Trouble:
    return Trouble(os.path.join(surroundings.captures(), "trouble.jsonl"))
