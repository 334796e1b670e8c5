"""A cache of the view, so that opening a repository need not read the whole log.

The file ``refs/snapshot`` holds canonical JSON, a line break and the BLAKE3 of the JSON in hex:
``from`` and ``upto`` (where the last record that it covers starts and ends), ``mark`` (that
record's checksum in hex), ``number`` of its operation, and ``view``. It is written without
fsync: whatever does not fit the log, byte for byte, is ignored.
"""

import os
from typing import NamedTuple

from blake3 import blake3

from oxcore.codec import canonical
from oxcore.errors import CorruptError
from oxcore.fs.atomic import remove_quietly, write_atomic
from oxcore.model.commits import Json
from oxcore.refs._log import LogFile
from oxcore.refs.view import View


class Snapshot(NamedTuple):
    """A view, and the place in the log that it was true at."""

    view: View
    last: int  # where the record of its last operation starts
    end: int  # and where it ends


def read(folder: str, log: LogFile) -> Snapshot | None:
    """The snapshot, if there is one that fits ``log``."""
    record = _record(folder)
    match record:
        case {"from": int(last), "upto": int(end), "mark": mark}:
            view = _view(record)
            fits = log.read(last + 4, last + 20).hex() == mark and log.is_record(last, end)
            if fits and view is not None:
                return Snapshot(view, last, end)
    return None


def read_alone(folder: str) -> View | None:
    """The view of a snapshot whose own checksum is right, whatever became of the log."""
    return _view(_record(folder))


def _record(folder: str) -> Json:
    try:
        with open(_path(folder), "rb") as file:
            body, _, check = file.read().partition(b"\n")
    except OSError:
        return None
    if blake3(body).hexdigest().encode() != check:
        return None
    try:
        return canonical.loads(body, "the snapshot")
    except CorruptError:
        return None


def _view(record: Json) -> View | None:
    match record:
        case {"number": int(number), "view": dict(values)}:
            return View({k: v for k, v in values.items() if isinstance(v, str)}, number)
    return None


def write(folder: str, log: LogFile, snapshot: Snapshot) -> int:
    """Write the snapshot beside the log; gives its length in bytes, 0 if the disk refuses."""
    view, last, end = snapshot
    body = canonical.dumps(
        {
            "from": last,
            "upto": end,
            "mark": log.read(last + 4, last + 20).hex(),
            "number": view.number,
            "view": dict(view),
        }
    )
    try:
        write_atomic(_path(folder), body + b"\n" + blake3(body).hexdigest().encode(), sync=False)
    except OSError:
        return 0
    return len(body)


def remove(folder: str) -> None:
    """Forget the snapshot."""
    remove_quietly(_path(folder))


def _path(folder: str) -> str:
    return os.path.join(folder, "refs", "snapshot")
