"""docs/format.md, held against the code: vectors, tables of magics, contexts and bounds."""

import json
import re
import struct
from pathlib import Path

import pytest
import xxhash
from blake3 import blake3

from oxcore.codec import canonical, manifest, node, oplog, pack, repoformat
from oxcore.codec.commit import (
    decode_commit,
    decode_tag,
    encode_commit,
    encode_tag,
    signed_payload,
)
from oxcore.fs.atomic import TEMPORARY
from oxcore.model.commits import Commit, Moment, Person, Tag
from oxcore.model.entries import Entry, Mode
from oxcore.model.ids import CONTEXTS, Kind, content_id, object_id, parse_id
from oxcore.model.protocols import How
from oxcore.store import _coding
from oxcore.tree import EMPTY, build

DOCUMENT = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```json vector=(\S+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
VECTORS = {name: json.loads(text) for name, text in BLOCKS}


def vector(name):
    return VECTORS[name]


class Heap(dict):
    """The least that is a `Sink`."""

    def put(self, oid, kind, data):
        assert kind == Kind.TREE
        assert object_id(kind, data) == oid
        self[oid] = data


def raw(text):
    return bytes.fromhex(text)


def test_ids():
    wanted = vector("ids")
    data = raw(wanted.pop("hex"))
    assert {name: raw(text) for name, text in wanted.items()} == {
        kind.name.lower(): object_id(kind, data) for kind in Kind if kind != Kind.FILE
    }


def test_canonical():
    wanted = vector("canonical")
    assert canonical.dumps(wanted["value"]) == raw(wanted["hex"])
    assert canonical.loads(raw(wanted["hex"]), "a vector") == wanted["value"]


@pytest.mark.parametrize("name", ["leaf", "empty-tree"])
def test_leaves(name):
    wanted = vector(name)
    rows = wanted["value"]
    data = node.encode_leaf(
        [raw(row["path"]) for row in rows],
        b"".join(raw(row["id"]) for row in rows),
        [row["size"] for row in rows],
        bytes(row["mode"] for row in rows),
    )
    assert data == raw(wanted["hex"])
    assert object_id(Kind.TREE, data).hex() == wanted["id"]
    found = node.decode(data)
    node.validate(found)
    assert [
        {"path": path.hex(), "mode": entry.mode, "size": entry.size, "id": entry.id.hex()}
        for path, entry in found.entries()
    ] == rows


def test_the_empty_tree_is_that_of_the_code():
    assert vector("empty-tree")["id"] == EMPTY.hex() == build(Heap(), []).hex()


def test_inner():
    wanted = vector("inner")
    level, rows = wanted["value"]["level"], wanted["value"]["children"]
    columns = (
        [raw(row["last"]) for row in rows],
        b"".join(raw(row["id"]) for row in rows),
        [row["bytes"] for row in rows],
        [row["files"] for row in rows],
    )
    data = node.encode_inner(level, *columns)
    assert data == raw(wanted["hex"])
    assert object_id(Kind.TREE, data).hex() == wanted["id"]
    found = node.decode(data)
    node.validate(found)
    assert (found.level, found.keys, found.ids, list(found.sizes), list(found.counts)) == (
        level,
        *columns,
    )


@pytest.mark.parametrize("name", ["manifest", "segment"])
def test_manifests(name):
    wanted = vector(name)
    encode, decode = {
        "manifest": (manifest.encode_manifest, manifest.decode_manifest),
        "segment": (manifest.encode_segment, manifest.decode_segment),
    }[name]
    depth, rows = wanted["value"]["depth"], wanted["value"]["children"]
    ids, lengths = b"".join(raw(row["id"]) for row in rows), [row["length"] for row in rows]
    data = encode(manifest.Manifest(depth, ids, lengths))
    assert data == raw(wanted["hex"])
    found = decode(data)
    assert (found.depth, found.ids, list(found.lengths)) == (depth, ids, lengths)
    if name == "manifest":
        chunks = [raw(chunk) for chunk in wanted["chunks"]]
        assert found.children() == [content_id(chunk) for chunk in chunks]
        assert content_id(b"".join(chunks)).hex() == wanted["id"]
    else:
        assert object_id(Kind.SEGMENT, data).hex() == wanted["id"]


def test_segments():
    wanted = vector("segments")
    ids = b"".join(content_id(str(number).encode()) for number in range(wanted["count"]))
    assert manifest.segment_bounds(ids) == wanted["ends"]


def person(value):
    return Person(value["name"], value["email"])


def moment(value):
    return Moment(value["us"], value["offset"])


@pytest.mark.parametrize("name", ["commit", "commit-signed"])
def test_commits(name):
    wanted = vector(name)
    value = wanted["value"]
    commit = Commit(
        parse_id(value["tree"]),
        tuple(map(parse_id, value["parents"])),
        person(value["author"]),
        moment(value["time"]),
        value["message"],
        value["meta"],
        value.get("signature"),
    )
    data = encode_commit(commit)
    assert data == raw(wanted["hex"])
    assert object_id(Kind.COMMIT, data).hex() == wanted["id"]
    assert decode_commit(data) == commit
    assert signed_payload(commit) == raw(wanted.get("signed", wanted["hex"]))


def test_tag():
    wanted = vector("tag")
    value = wanted["value"]
    tag = Tag(
        parse_id(value["target"]),
        value["name"],
        person(value["tagger"]),
        moment(value["time"]),
        value["message"],
    )
    data = encode_tag(tag)
    assert data == raw(wanted["hex"])
    assert object_id(Kind.TAG, data).hex() == wanted["id"]
    assert decode_tag(data) == tag


def test_oplog():
    wanted = vector("oplog")
    value = dict(wanted["value"])
    time = Moment(value.pop("us"), value.pop("offset"))
    changes = {key: tuple(pair) for key, pair in value.pop("changes").items()}
    operation = oplog.Operation(time=time, changes=changes, **value)
    data = oplog.HEADER + oplog.encode(operation)
    assert data == raw(wanted["hex"])
    oplog.check_header(data)
    assert list(oplog.scan(data, len(oplog.HEADER))) == [(len(data), operation)]


def test_hows():
    wanted = vector("hows")
    plain, delta = wanted["zstd"], wanted["delta"]
    base = _coding.decode(How.ZSTD, raw(plain["payload"]), len(raw(plain["data"])))
    assert base == raw(plain["data"])
    assert content_id(base).hex() == plain["id"]
    payload = raw(delta["payload"])
    assert _coding.base_of(payload).hex() == plain["id"]
    data = _coding.decode_delta(payload, len(raw(delta["data"])), base)
    assert data == raw(delta["data"])
    assert content_id(data).hex() == delta["id"]


def test_pack():
    wanted = vector("pack")
    index, payloads = pack.PackIndex(), b""
    for row in wanted["value"]:
        payload = raw(row["payload"])
        index.add(raw(row["id"]), row["kind"], row["how"], row["raw"], len(payload))
        payloads += payload
    tail, name = pack.seal(index)
    data = pack.HEADER + payloads + tail
    assert data == raw(wanted["hex"])
    assert name.hex() == wanted["name"]
    start, length = pack.index_span(data[-pack.TRAILER_SIZE :], len(data), "the vector")
    found, same = pack.open_index(data[:16], data[start : start + length], "the vector")
    assert same == name
    assert list(found.rows()) == list(index.rows())


def test_format():
    wanted = vector("format")
    form = repoformat.RepoFormat(wanted["value"]["chunking"], wanted["value"]["bare"])
    assert repoformat.encode(form) == raw(wanted["hex"])
    assert repoformat.decode(raw(wanted["hex"])) == form
    assert json.loads(raw(wanted["hex"])) == wanted["value"]


def golden(count):
    for i in range(count):
        path = f"images/{i // 100:04}/{i:06}.png".encode()
        mode = Mode.FILE if i % 7 else Mode.EXEC
        yield path, Entry(mode, 31 * i, content_id(str(i).encode()))


@pytest.mark.parametrize("row", vector("trees")["trees"], ids=lambda row: str(row["count"]))
def test_golden_trees(row):
    heap = Heap()
    root = build(heap, golden(row["count"]))
    assert root.hex() == row["root"]
    assert len(heap) == row["nodes"]
    top = node.decode(heap[root])
    assert getattr(top, "level", 0) + 1 == row["levels"]


def test_golden_commit():
    value = vector("commit")["value"]
    (tree,) = [row["root"] for row in vector("trees")["trees"] if row["count"] == 1000]
    commit = Commit(
        parse_id(tree), (), person(value["author"]), moment(value["time"]), "1,000 images"
    )
    assert object_id(Kind.COMMIT, encode_commit(commit)).hex() == vector("golden-commit")["id"]


# -- the rules in the page, in the plainest Python, without the code

DERIVE = "ox 2026-11-21 tree node v1"


def plain_tree(rows):
    """The root of rows (path, mode, size, id) by the tables and the rule of docs/format.md."""
    level, keys, cells = 0, [path for path, *_ in rows], [row[1:] for row in rows]
    while True:
        ends = plain_cuts(keys, level)
        made = []
        for start, end in zip([0, *ends], ends, strict=False):
            part, names = cells[start:end], keys[start:end]
            data = plain_node(level, names, part)
            oid = blake3(data, derive_key_context=DERIVE).digest()
            total = sum(cell[1] for cell in part)
            files = sum(cell[0] for cell in part) if level else len(part)
            made.append((names[-1], (files, total, oid)))
        if len(made) == 1:
            return made[0][1][2]
        level, keys, cells = level + 1, [key for key, _ in made], [cell for _, cell in made]


def plain_cuts(keys, level):
    ends, k = [], 0
    for at, key in enumerate(keys, 1):
        k += 1
        h = xxhash.xxh3_64_intdigest(key, seed=level)
        if (
            (32 <= k <= 127 and h < 2**64 // 512)
            or (128 <= k <= 511 and h < 2**64 // 32)
            or k == 512
            or at == len(keys)
        ):
            ends.append(at)
            k = 0
    return ends


def plain_node(level, keys, cells):
    # a cell: mode or files, size or bytes, id
    data = b"OXTN\1" + bytes([level, 0, 0]) + struct.pack("<I", len(keys))
    data += b"".join(cell[2] for cell in cells)
    data += b"".join(struct.pack("<Q", cell[1]) for cell in cells)
    data += b"".join(struct.pack("<Q" if level else "<B", cell[0]) for cell in cells)
    return data + b"\0".join(keys)


@pytest.mark.parametrize("count", [1, 32, 1000, 5000])
def test_the_rule_of_the_page_gives_the_tree_of_the_code(count):
    rows = [(path, *entry) for path, entry in golden(count)]
    assert plain_tree(rows) == build(Heap(), golden(count))


def test_the_manifest_of_the_page():
    wanted = vector("manifest")
    chunks = [raw(chunk) for chunk in wanted["chunks"]]
    data = b"OXMF" + bytes([1, 0, 0, 0]) + struct.pack("<I", len(chunks))
    data += b"".join(blake3(chunk).digest() for chunk in chunks)
    data += b"".join(struct.pack("<Q", len(chunk)) for chunk in chunks)
    assert data == raw(wanted["hex"])


# -- tables and bounds


def section(title):
    return DOCUMENT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_contexts_kinds_and_hows():
    table = section("Ids")
    rows = re.findall(r"^\| (\d) .*`derive_key`, context `([^`]+)` \|$", table, re.MULTILINE)
    assert {int(number): text for number, text in rows} == CONTEXTS
    kinds = re.findall(r"^\| (\d) \| (\w+) \|", table, re.MULTILINE)
    assert {name.upper(): int(number) for number, name in kinds} == {k.name: k for k in Kind}
    hows = re.findall(r"^\| (\d) \| (RAW|ZSTD|DELTA) \|", DOCUMENT, re.MULTILINE)
    assert {name: int(number) for number, name in hows} == {how.name: how for how in How}


def test_modes():
    rows = re.findall(r"^\| (\d) \| [^|]+ \| [^|]+ \| (\d{6}) \|$", DOCUMENT, re.MULTILINE)
    assert {int(number): octal for number, octal in rows} == {mode: mode.octal for mode in Mode}


def test_magics():
    table = section("Magics and versions")
    rows = re.findall(r"^\| `([A-Z\\rn]+)` \| [^|]+ \| (\d?) ?\|", table, re.MULTILINE)
    known = {
        pack.MAGIC: str(pack.VERSION),
        pack.END_MAGIC: "",
        oplog.MAGIC: str(oplog.HEADER[8]),
        node.MAGIC: str(node.VERSION),
        manifest.FILE_MAGIC: str(manifest.VERSION),
        manifest.SEGMENT_MAGIC: str(manifest.VERSION),
    }
    assert {text.encode().decode("unicode_escape").encode(): v for text, v in rows} == known


@pytest.mark.parametrize(
    "words",
    [
        f"nest at most {canonical.MAX_DEPTH} deep",
        f"from -(2^{canonical.MAX_INT.bit_length()} - 1) to",
        f"size of its content (at most 2^{node.MAX_FILE.bit_length()} - 1)",
        f"size of the file, at most 2^{manifest.MAX_SIZE.bit_length()} - 1",
        f"sums of a node are below 2^{node.MAX_TOTAL.bit_length()}",
        f"a segment have at most {manifest.SEGMENT_MAX} children",
        f"with 16 bits below {manifest.SEGMENT_CUT}, if that is its {manifest.SEGMENT_MIN}th",
        f"have 1 to {node.MAX_PATH} bytes",
        f"of level 1 to {node.MAX_LEVEL} has",
        f"of an object is at most 2^{_coding.MAX_RAW.bit_length() - 1} (",
        f"begins with `{TEMPORARY}`",
    ],
)
def test_the_bounds_of_the_code_stand_in_the_page(words):
    assert words in DOCUMENT


def test_no_vector_is_left_untested():
    assert len(BLOCKS) == len(VECTORS)
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{name}"' in source for name in VECTORS)
