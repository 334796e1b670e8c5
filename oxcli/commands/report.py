"""``ox report``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, REVISION, argument, json_option, option, verb
from oxcli.reading import as_of_option, prediction_option, reading, trust_option
from oxcli.render import frame
from oxcli.render import report as render
from oxcore.errors import ExistsError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.insight.pictures import Shown
    from oxcore.insight.report import Report
    from oxcore.insight.versus import Versus


class Options(TypedDict):
    """The options of ``ox report``."""

    by: tuple[str, ...]
    slices: tuple[str, ...]
    slices_of: str | None
    as_of: str | None
    vs: str | None
    html: str | None
    force: bool
    prediction: str
    trust: str
    as_json: bool


@verb(
    "ox report deployed wild",
    "ox report deployed wild --by model --slice night --slices main",
    "ox report deployed wild --by params.camera",
    "ox report deployed wild --as-of 2026-11-01",
    "ox report deployed wild --vs resnet@3f2c --html report.html",
    "ox report deployed~2 wild --json",
)
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@option(
    "--by",
    many=True,
    metavar="COLUMN",
    help="A group for each value of a column, or of params.NAME.",
)
@option("--slice", "slices", many=True, metavar="NAME", help="This slice; all, if none is named.")
@option("--slices", "slices_of", kind=REVISION, help="Slices of this version, not BRANCH's own.")
@as_of_option
@option("--vs", metavar="BRANCH|MODEL", help="What that one fixes and breaks, on the same inputs.")
@option("--html", kind=PATH, metavar="FILE", help="Write one HTML page, with plots and examples.")
@option("-f", "--force", flag=True, help="Replace the file that --html names.")
@prediction_option
@trust_option
@json_option
def command(session: Session, branch: str, folder: str, **options: Unpack[Options]) -> None:
    """Count what a deployed model got right and wrong: records that ox.save put on BRANCH.

    Every figure says how many records it rests on, and within which interval it lies (95%). A
    record without a label is neither right nor wrong. Slices come with the errors that could be
    recovered, the most first. The same commit gives the same report, byte for byte.
    """
    with session.open() as repo:
        version, how = reading(
            repo, branch, options["as_of"], options["prediction"], options["trust"]
        )
        slices = list(options["slices"]) or None
        by, slices_of = options["by"], options["slices_of"]
        found = repo.report(version, folder, by=by, slices=slices, slices_of=slices_of, **how)
        other, versus = options["vs"], None
        if other is not None:
            versus = repo.versus(
                version, folder, other, by=by, slices=slices, slices_of=slices_of, **how
            )
        if options["html"] is not None:
            _write(session, repo, found, versus, options)
        elif options["as_json"]:
            from oxcore.insight.page import as_json

            session.echo(as_json(found, versus).rstrip("\n"))
        else:
            session.lines(render.lines(found, versus, session.paint, frame.width()))


def _write(
    session: Session, repo: Repo, found: Report, versus: Versus | None, options: Options
) -> None:
    from oxcore.fs.atomic import storage_errors
    from oxcore.insight.page import looked_at, page

    place = str(options["html"])
    inputs: dict[str, Shown] = repo.input_of(found.commit, found.folder, looked_at(found, versus))
    with storage_errors(f"write {place}"):
        try:
            with open(place, "w" if options["force"] else "x", encoding="utf-8") as file:
                file.write(page(found, inputs, versus))
        except FileExistsError:
            raise ExistsError(f"{place} is there already", hint="replace it: --force") from None
    session.say(f"wrote {place}")
