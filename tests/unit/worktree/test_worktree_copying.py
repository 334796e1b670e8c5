"""The kernel copies files: the same bytes where it cannot, and what was made is proved."""

import os

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import CorruptError
from oxcore.model.entries import Entry, Mode
from oxcore.model.extents import Extent, Extents
from oxcore.worktree import Writer, copying

BYTES = bytes(range(256)) * 40


class Pack:
    """A file that is open."""

    def __init__(self, path, data=BYTES):
        path.write_bytes(data)
        self.file = path.open("rb")

    def fileno(self):
        return self.file.fileno()

    def read(self, offset, length):
        data = os.pread(self.fileno(), length, offset)
        if len(data) != length:
            raise CorruptError("cut short")
        return data


@pytest.fixture
def pack(tmp_path):
    made = Pack(tmp_path / "pack")
    yield made
    made.file.close()


def refuse(*_):
    raise OSError("no such call")


def a_bit(copy):
    return lambda source, to, count, *places: copy(source, to, min(count, 7), *places)


WAYS = {
    "by the kernel": lambda copy: copy,
    "a bit at a time": a_bit,
    "where it cannot": lambda _: refuse,
    "where there is no such call": lambda _: None,
}


def pieces(pack, drawn):
    return [
        Extent(pack, start, size) if lies else BYTES[start : start + size]
        for lies, start, size in drawn
    ]


@pytest.mark.parametrize("way", WAYS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    drawn=st.lists(st.tuples(st.booleans(), st.integers(0, 5000), st.integers(0, 5000)), max_size=5)
)
def test_the_bytes_of_all_pieces_in_order(tmp_path, monkeypatch, pack, way, drawn):
    expected = b"".join(BYTES[start : start + size] for _, start, size in drawn)
    with monkeypatch.context() as patch:
        patch.setattr(copying, "_copy_range", WAYS[way](copying._copy_range))
        patch.setattr(copying, "_STEP", 1000)
        handle = os.open(tmp_path / "made", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        try:
            copy = copying.Copy(handle, Extents(pieces(pack, drawn)))
            made = copy.measure()
        finally:
            copy.close()
            os.close(handle)
    assert made == (len(expected), blake3(expected).digest())
    assert (tmp_path / "made").read_bytes() == expected


def write(top, content, oid=None):
    data = BYTES[10:110]
    with Writer(str(top)) as writer:
        entry = Entry(Mode.FILE, 100, oid or blake3(data).digest())
        return writer.finish(writer.begin(b"a", entry, content))


def test_a_file_in_its_place(tmp_path, pack):
    top = tmp_path / "top"
    top.mkdir()
    write(top, Extents([Extent(pack, 10, 100)]))
    assert (top / "a").read_bytes() == BYTES[10:110]


@pytest.mark.parametrize(
    ("start", "size"), [(11, 100), (10, 99), (10, 101), (len(BYTES) - 50, 100), (len(BYTES), 100)]
)
def test_what_is_not_the_file_is_not_put_there(tmp_path, pack, start, size):
    top = tmp_path / "top"
    top.mkdir()
    with pytest.raises(CorruptError):
        write(top, Extents([Extent(pack, start, size)]))
    assert os.listdir(top) == []


def test_what_is_written_is_proved_not_what_was_read(tmp_path, pack, monkeypatch):
    top = tmp_path / "top"
    top.mkdir()

    def badly(source, to, count, start, at):
        return os.pwrite(to, b"x" * count, at)

    monkeypatch.setattr(copying, "_copy_range", badly)
    with pytest.raises(CorruptError):
        write(top, Extents([Extent(pack, 10, 100)]))
    assert os.listdir(top) == []
