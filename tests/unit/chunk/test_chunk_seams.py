"""Cuts at a table's own seams: where they are, what broken files have, and what cuts must keep."""

import io
import random
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from oxcore.chunk import (
    Aligner,
    ChunkParams,
    Seam,
    cut,
    cut_at,
    cut_places,
    find_seams,
    iter_chunks,
    shifts,
)

SMALL = ChunkParams(minimum=64, mean=256, maximum=1024)
ROWS = 150_000


def seams_of(data):
    return find_seams(data[:8], len(data), lambda place, size: data[place : place + size])


@pytest.fixture(scope="module")
def table():
    source = random.Random(5)
    return pa.table(
        {
            "id": range(ROWS),
            "x": [source.random() for _ in range(ROWS)],
            "name": [f"{source.randrange(10**9)}" if n % 9 else None for n in range(ROWS)],
            "label": [("cat", "dog", "fox")[n % 3] for n in range(ROWS)],
        }
    )


@pytest.fixture(scope="module")
def written(table):
    """Bytes of the table by the name of a way to write it."""
    made = {}
    for codec in ("snappy", "zstd", "none"):
        data = io.BytesIO()
        pq.write_table(table, data, compression=codec, row_group_size=40_000)
        made[f"parquet {codec}"] = data.getvalue()
    for codec in ("lz4", "zstd", "uncompressed"):
        data = io.BytesIO()
        feather.write_feather(table, data, compression=codec)
        made[f"feather {codec}"] = data.getvalue()
    data = io.BytesIO()
    with pa.ipc.new_stream(data, table.schema) as writer:
        writer.write_table(table, max_chunksize=20_000)
    made["stream"] = data.getvalue()
    return made


# -- where they are


def test_seams_of_parquet_are_where_its_column_chunks_begin(written):
    for name in ("parquet snappy", "parquet zstd", "parquet none"):
        data = written[name]
        about, expected, end = pq.ParquetFile(io.BytesIO(data)).metadata, {}, 0
        for group in range(about.num_row_groups):
            for index in range(about.num_columns):
                column = about.row_group(group).column(index)
                start = column.dictionary_page_offset or column.data_page_offset
                expected[start] = (group, column.path_in_schema.encode())
                end = max(end, start + column.total_compressed_size)
        assert {one.place: one.name for one in seams_of(data)} == {**expected, end: "end"}


def test_seams_of_arrow_are_where_its_messages_and_buffers_begin(written):
    for name in ("feather lz4", "feather zstd", "feather uncompressed", "stream"):
        data = written[name]
        seams = {one.name: one.place for one in seams_of(data)}
        start = 0 if name == "stream" else 8
        file, places = pa.BufferReader(data[start:]), []
        while True:
            places.append(start + file.tell())
            try:
                pa.ipc.read_message(file)
            except EOFError:
                break
        found = sorted(place for one, place in seams.items() if one != "end" and one[1] == -1)
        assert found == [place for place in places[:-1] if place]
        if name in {"stream", "feather uncompressed"}:
            first = seams[1, 1]  # of the first batch the values of the first column
            assert data[first : first + 24] == b"".join(
                number.to_bytes(8, "little") for number in range(3)
            )


def test_other_files_and_short_ones_have_none(written):
    called = []
    for data in (b"PAR1" + bytes(1000), b"a,b\n" * (1 << 20), bytes(3 << 20)):
        assert find_seams(data[:8], len(data), lambda *at: called.append(at) or b"") == []
    assert called == []


# -- broken and hostile files


@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_have_seams_within_them_or_none(written, data):
    name = data.draw(st.sampled_from(sorted(written)))
    made = bytearray(written[name])
    for _ in range(data.draw(st.integers(0, 6))):
        near_end = data.draw(st.booleans())
        span = 6000 if near_end else 3000
        at = data.draw(st.integers(0, span - 1))
        made[len(made) - 1 - at if near_end else at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del made[data.draw(st.integers(2 << 20, len(made))) :]
    seams = seams_of(bytes(made))
    places = [one.place for one in seams]
    assert places == sorted(set(places))
    assert all(0 < place < len(made) for place in places)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"\x00" * 8,
        b"\xff\xff\xff\xffPAR1",
        b"\xff\xff\x03\x00PAR1",
        b"\x19\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x0a\x00\x00\x00PAR1",  # 2^62 items
        b"\x4c" + b"\x1c" * 200 + b"\xc9\x00\x00\x00PAR1",  # structs in structs
        b"\x18\xff\xff\xff\xff\x7f\x06\x00\x00\x00PAR1",  # a text longer than all
    ],
)
def test_hostile_footers(tail):
    data = b"PAR1" + bytes(2 << 20) + tail
    assert [one for one in seams_of(data) if one.name != "end"] == []


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\xff\xff\xff\xff\x10\x00\x00\x00" + b"\xff" * 16,
        b"\xff\xff\xff\xff\x00\x00\x00\x00",
        b"ARROW1\0\0" + b"\xff\xff\xff\xff\x08\x00\x00\x00" + b"\x04\x00\x00\x00\x00\x00\x00\x80",
    ],
)
def test_hostile_messages(head):
    seams = seams_of(head + bytes(2 << 20))
    assert len(seams) <= 2


def test_a_stream_of_tiny_batches_is_not_followed_to_its_end():
    data, looks = io.BytesIO(), []
    batch = pa.record_batch({"x": list(range(40))})
    with pa.ipc.new_stream(data, batch.schema) as writer:
        for _ in range(8000):
            writer.write_batch(batch)
    made = data.getvalue()

    def read_at(place, size):
        looks.append(place)
        return made[place : place + size]

    assert find_seams(made[:8], len(made), read_at)
    assert len(looks) < 40


# -- cuts


@st.composite
def files(draw):
    """Bytes, and places to cut at as ``cut_places`` would give them."""
    source = random.Random(draw(st.integers(0, 2**32)))
    size = draw(st.integers(0, 12_000))
    data = source.randbytes(size) if draw(st.booleans()) else bytes(size)
    near = st.integers(0, 12_000) | st.sampled_from([64, 128, 200, 1024, 1088])
    found = sorted({place for place in draw(st.lists(near, max_size=12)) if 0 < place < size})
    return data, cut_places([Seam(place, place) for place in found], size, SMALL)


@given(files())
@settings(max_examples=150, deadline=None)
def test_every_place_is_cut_at_and_sizes_keep_the_bounds(made):
    data, places = made
    ends = cut_at(data, SMALL, final=True, start=0, places=places)
    sizes = [end - start for start, end in pairwise([0, *ends])]
    assert sum(sizes) == len(data)
    assert set(places) <= set(ends)
    assert all(SMALL.minimum <= size <= SMALL.maximum for size in sizes[:-1])
    assert all(0 < size <= SMALL.maximum for size in sizes[-1:])


@given(files(), st.integers(1, 6000))
@settings(max_examples=150, deadline=None)
def test_windows_of_any_size_cut_alike(made, window):
    data, places = made
    ends = cut_at(data, SMALL, final=True, start=0, places=places)
    found = [bytes(one) for one in iter_chunks(io.BytesIO(data).read, SMALL, window, places)]
    assert found == [data[start:end] for start, end in pairwise([0, *ends])]


@given(files())
@settings(max_examples=100, deadline=None)
def test_without_places_it_is_the_cut_by_content(made):
    data, _ = made
    assert cut_at(data, SMALL, final=True, start=0, places=[]) == cut(data, SMALL, final=True)


def test_a_column_that_did_not_change_shares_all_its_chunks(table):
    def parts(made):
        data = io.BytesIO()
        pq.write_table(made, data, compression="none", use_dictionary=False)
        whole = data.getvalue()
        seams = seams_of(whole)
        places = cut_places(seams, len(whole), SMALL)
        ends = cut_at(whole, SMALL, final=True, start=0, places=places)
        known = {one.name: one.place for one in seams}
        low, high = known[0, b"name"], known[0, b"label"]
        return [whole[a:b] for a, b in pairwise([0, *ends]) if low <= a < high]

    numbers = pa.array(range(ROWS, 2 * ROWS), pa.int64())
    assert parts(table) == parts(table.set_column(1, "x", numbers))


# -- what replaces what


def test_parts_are_paired_by_name():
    new = [Seam(100, "a"), Seam(300, "b"), Seam(900, "c")]
    old = [Seam(100, "a"), Seam(250, "b"), Seam(260, "d")]
    assert shifts(new, old) == [(100, 0), (300, -50)]


def test_the_aligner_goes_where_the_pairs_lead():
    old = [(b"a", 100), (b"b", 100), (b"c", 100), (b"d", 100)]
    plain, led = Aligner(old), Aligner(old, [(150, 150)])
    for oid, length in ((b"1", 150), (b"2", 100)):
        bases = plain.base(oid, length), led.base(oid, length)
    assert bases == (b"b", b"d")
