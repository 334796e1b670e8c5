"""``ox capture``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import PATH, Number, argument, json_option, option, verb_group
from oxcli.render.text import human_size, plural, relative_date
from oxcore.errors import NotARepoError, OxError
from oxcore.model.commits import Moment
from oxcore.model.settings import local_time

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.capturing.ship import Sent
    from oxcore.capturing.trouble import Told
    from oxcore.capturing.upkeep import Waiting


@verb_group(
    "ox capture status",
    "ox capture flush",
    "ox capture doctor",
    "ox capture replay spool/9f86d081884c7d65 --to http://hub.example/lab/speech",
    default=True,
)
def command(session: Session) -> None:
    """Records that models saved (ox.save) and that wait to be on their branch.

    Of the repository here, and of those of the user that go to hubs. Alone it is ox capture
    status.
    """
    _status(session, as_json=False)


@command.command("status")
@json_option
def status(session: Session, *, as_json: bool) -> None:
    """What waits in the spools, and for whom."""
    _status(session, as_json=as_json)


@command.command("flush")
@option("--wait", kind=Number(0), default=10, help="Seconds for processes that are at work; 10.")
@json_option
def flush(session: Session, wait: int, *, as_json: bool) -> None:
    """Send all that waits. Processes at work are asked to send theirs, and waited for."""
    from oxcore.api import spools

    failed: OxError | None = None
    done: list[dict[str, object]] = []
    with _here(session) as repo:
        for folder in spools.folders(repo):
            try:
                sent, waiting = spools.flush_spool(folder, patience=wait)
            except OxError as error:
                failed = failed or error
                session.warn(f"{folder}: {error.message}")
                continue
            done.append({"spool": folder, **sent._asdict(), "waiting": waiting.records})
            if not as_json:
                session.echo(f"{waiting.where}: {_sent(sent)}, {_waits(waiting)}")
    if as_json:
        session.emit(done)
    if failed is not None:
        raise failed


@command.command("replay")
@argument("spool", kind=PATH, required=True, metavar="SPOOL")
@option("--to", metavar="REPO", help="Path or URL of another repository than it says.")
@option("--branch", metavar="NAME", help="Another branch.")
@option("--directory", metavar="DIR", help="Another folder.")
@json_option
def replay(
    session: Session,
    spool: str,
    to: str | None,
    branch: str | None,
    directory: str | None,
    *,
    as_json: bool,
) -> None:
    """Send a spool that no process uses any more, as one that was copied from another machine.

    What is on the branch already is left as it is: it may be sent any number of times.
    """
    from oxcore.api import spools

    sent = spools.replay(spool, repo=to, branch=branch, directory=directory)
    if as_json:
        session.emit(sent._asdict())
    else:
        session.echo(_sent(sent))


@command.command("doctor")
@option("--clear", flag=True, help="Then forget what went wrong.")
@json_option
def doctor(session: Session, *, clear: bool, as_json: bool) -> None:
    """What went wrong: errors, records that were lost, what could not be read, who left what."""
    from oxcore.api import spools

    with _here(session) as repo:
        report = spools.doctor(repo)
        if clear:
            spools.forget(repo)
    if as_json:
        listed = [_document(one, troubles=True) for one in report.spools]
        troubles = [one._asdict() for one in report.troubles]
        session.emit({"sound": report.sound, "spools": listed, "troubles": troubles})
        return
    for one in report.spools:
        session.lines(_findings(one))
    if report.troubles:
        session.echo("places that cannot be used:")
        session.lines(map(_told, report.troubles))
    if report.sound:
        session.echo("nothing is wrong")


def _status(session: Session, *, as_json: bool) -> None:
    from oxcore.api import spools

    with _here(session) as repo:
        found = spools.waiting(repo)
    if as_json:
        session.emit([_document(one, troubles=False) for one in found])
        return
    for one in found:
        session.echo(f"{one.where}: {_waits(one)}")
        if one.troubles or one.bad or one.dropped:
            session.echo("  something went wrong: ox capture doctor")
    if not found:
        session.say("nothing was captured here")


@contextmanager
def _here(session: Session) -> Iterator[Repo | None]:
    """The repository that we stand in, if we do."""
    try:
        opened = session.open()
        repo = opened.__enter__()
    except NotARepoError:
        yield None
        return
    try:
        yield repo
    finally:
        opened.__exit__(None, None, None)


def _waits(one: Waiting) -> str:
    if not one.segments:
        return "nothing waits"
    waits = f"{plural(one.records, 'record')} ({human_size(one.nbytes)}) wait"
    dead = one.writers - one.alive
    who = [f"of {plural(one.alive, 'process', 'processes')} at work"] if one.alive else []
    who += [f"of {plural(dead, 'process', 'processes')} that ended"] if dead else []
    return f"{waits}, {' and '.join(who)}"


def _sent(sent: Sent) -> str:
    return f"sent {plural(sent.records, 'record')} in {plural(sent.segments, 'shard')}"


def _findings(one: Waiting) -> Iterator[str]:
    yield f"{one.where}: {_waits(one)}"
    if one.dropped:
        yield f"  {plural(one.dropped, 'record')} lost, which the branch does not tell yet"
    if one.writers > one.alive and one.segments:
        yield "  processes ended before they had sent all: ox capture flush"
    for name in one.bad:
        yield f"  could not be read, kept as {one.folder}/bad/{name}"
    yield from map(_told, one.troubles)


def _told(one: Told) -> str:
    often = f", {one.times} times" if one.times > 1 else ""
    ago = relative_date(Moment(one.time, 0), local_time())
    hint = f"; {one.hint}" if one.hint else ""
    return f"  {one.kind}: {one.message} ({ago}{often}){hint}"


def _document(one: Waiting, *, troubles: bool) -> dict[str, object]:
    document = one._asdict() | {"where": one.where._asdict(), "spool": one.folder}
    del document["folder"]
    if troubles:
        return document | {"troubles": [told._asdict() for told in one.troubles]}
    return document | {"troubles": len(one.troubles)}
