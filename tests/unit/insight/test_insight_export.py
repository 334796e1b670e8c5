"""Exports: what each format holds, read by what reads it; what is refused; the same bytes again."""

import io
import json
import os

import pytest
import yaml
from blake3 import blake3
from PIL import Image
from pyarrow import parquet

from oxcore.errors import ExistsError, InvalidError, NotFoundError, NothingToDoError, UsageError
from oxcore.insight import split
from oxcore.testing.captured import labelled

TALK = {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]}


def capture(wild, inputs, labels, mime, output="wrong", **more):
    """Records with these inputs and labels (None: nobody labelled it)."""
    records, events, files = labelled("wild", inputs, mime, **more)
    for record in records:
        record["output"] = output
    for event, label in zip(events, labels, strict=True):
        event["value"] = label
    wild.commit(records, [one for one in events if one["value"] is not None], files)


def picture(shade, form="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (20, 10), (shade, 0, 0)).save(out, form)
    return out.getvalue()


@pytest.fixture
def export(wild, tmp_path_factory):
    def run(name, folder="wild", branch="deployed", **how):
        target = str(tmp_path_factory.mktemp("out") / "made")
        return target, wild.repo.export(branch, folder, target, name, **how)

    return run


def lines(target, name):
    with open(os.path.join(target, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def contents(target):
    found = {}
    for folder, _, names in os.walk(target):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, target)] = file.read()
    return found


def test_chat(wild, export):
    inputs = [b"what is it?", json.dumps(TALK).encode(), b'"quoted"', b'{"prompt": "ask"}', b"x"]
    capture(wild, inputs[:1], ["a cat"], "text/plain; charset=utf-8")
    capture(wild, inputs[1:], ["hello", "q", "p", None], "application/json", start=1)
    target, made = export("chat")
    assert made.counts == {"train": 4}
    found = lines(target, "train.jsonl")
    assert found[0]["messages"] == [
        {"role": "user", "content": "what is it?"},
        {"role": "assistant", "content": "a cat"},
    ]
    assert found[1]["messages"] == [*TALK["messages"], {"role": "assistant", "content": "hello"}]
    assert [one["messages"][0]["content"] for one in found[2:]] == ["quoted", "ask"]
    assert contents(target)["train.records.txt"] == b"r000000\nr000001\nr000002\nr000003\n"


def test_preference(wild, export):
    capture(wild, [b"one", b"two", b"three"], ["right", "wrong", "better"], "text/plain")
    target, made = export("preference")
    assert (made.counts, made.skipped) == ({"train": 2}, {"no answer but the label": 1})
    assert lines(target, "train.jsonl")[0] == {
        "prompt": [{"role": "user", "content": "one"}],
        "chosen": [{"role": "assistant", "content": "right"}],
        "rejected": [{"role": "assistant", "content": "wrong"}],
    }
    said = {"role": "assistant", "content": "fool", "finish_reason": "stop"}
    capture(
        wild,
        [json.dumps(TALK["messages"]).encode()],
        [{"content": "ok"}],
        "application/json",
        said,
        start=7,
    )
    target, _ = export("preference", where="record_id = 'r000007'")
    [found] = lines(target, "train.jsonl")  # as `ox.wrap_client` captures it
    assert found["prompt"] == TALK["messages"]
    assert [found[side][0]["content"] for side in ("chosen", "rejected")] == ["ok", "fool"]
    with pytest.raises(NothingToDoError, match="no pair"):
        export("preference", where="record_id = 'r000001'")


def test_parquet(wild, export):
    capture(wild, [b"one", b"two", b"one"], ["a", {"label": "b"}, "c"], "text/plain")
    target, _ = export("parquet")
    rows = parquet.read_table(os.path.join(target, "train.parquet")).to_pylist()
    assert [row["label"] for row in rows] == ["a", "b", "c"]
    assert json.loads(rows[1]["value"]) == {"label": "b"}
    for row, data in zip(rows, [b"one", b"two", b"one"], strict=True):
        with open(os.path.join(target, row["path"]), "rb") as file:
            assert file.read() == data
        assert row["input_hash"] == blake3(data).hexdigest()


def test_hugging_face_with_pictures(wild, export):
    shown = [picture(n) for n in range(12)]
    capture(wild, shown, ["cat", "dog"] * 6, "image/png", suffix=".png")
    target, made = export("hf", split=0.5)
    assert set(made.counts) == {"train", "test"}
    seen = 0
    for name, count in made.counts.items():
        table = parquet.read_table(os.path.join(target, f"data/{name}-00000-of-00001.parquet"))
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert features["image"] == {"_type": "Image"}
        assert list(features) == table.column_names
        for row in table.to_pylist():
            assert row["image"]["bytes"] == shown[int(row["record_id"][1:])]
            key = blake3(row["image"]["bytes"]).hexdigest()
            assert split.side(key, 0.5) == name
        assert len(table) == count
        seen += count
    assert seen == 12
    head = yaml.safe_load(contents(target)["README.md"].split(b"---\n")[1])
    assert [one["split"] for one in head["configs"][0]["data_files"]] == list(made.counts)
    sizes = {one["name"]: one["num_examples"] for one in head["dataset_info"]["splits"]}
    assert sizes == made.counts


def test_hugging_face_with_text(wild, export):
    capture(wild, [b"one", "zw\u00f6lf".encode()], ["1", "12"], "text/plain")
    target, _ = export("hf")
    table = parquet.read_table(os.path.join(target, "data/train-00000-of-00001.parquet"))
    assert table.column("text").to_pylist() == ["one", "zw\u00f6lf"]


def test_imagefolder(wild, export):
    capture(wild, [picture(n) for n in range(4)], ["cat", "dog"] * 2, "image/png", suffix=".png")
    target, _ = export("imagefolder")
    found = lines(target, "train/metadata.jsonl")
    assert [one["file_name"] for one in found][:2] == ["cat/r000000.png", "dog/r000001.png"]
    for n, one in enumerate(found):
        with Image.open(os.path.join(target, "train", one["file_name"])) as image:
            assert image.getpixel((0, 0)) == (n, 0, 0)
        assert one["file_name"].split("/")[0] == one["label"]


def test_coco(wild, export):
    boxes = [
        [{"bbox": [0, 0, 5, 5], "label": "dog"}, {"bbox": [1.5, 2, 3, 8], "category": "cat"}],
        {"boxes": [{"bbox": [0, 0, 20, 10], "label": "cat"}]},
        [],
    ]
    capture(wild, [picture(n) for n in range(3)], boxes, "image/png", suffix=".png")
    target, _ = export("coco")
    found = json.loads(contents(target)["annotations/instances_train.json"])
    assert found["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    assert [one["file_name"] for one in found["images"]] == [f"r{n:06}.png" for n in range(3)]
    told = [(one["image_id"], one["category_id"], one["bbox"]) for one in found["annotations"]]
    assert told == [(1, 2, [0, 0, 5, 5]), (1, 1, [1.5, 2, 3, 8]), (2, 1, [0, 0, 20, 10])]
    assert [one["area"] for one in found["annotations"]] == [25, 24, 200]
    assert all((one["width"], one["height"]) == (20, 10) for one in found["images"])


PNG = picture(1)


@pytest.mark.parametrize(
    ("name", "data", "mime", "label", "why"),
    [
        ("chat", b"\xff", "text/plain", "x", "input: not UTF-8"),
        ("chat", PNG, "image/png", "x", "input: image/png, and no text"),
        ("chat", b"hi", "text/plain", " ", "label: empty"),
        ("chat", b"{", "application/json", "x", "input: not JSON"),
        ("chat", b"{}", "application/json", "x", "input: an object without messages"),
        ("chat", b"[]", "application/json", "x", "input: neither text nor a list"),
        ("chat", b'[{"role": "cat"}]', "application/json", "x", "input[0].role: must be one of"),
        (
            "preference",
            b'{"messages": [{"role": "user"}]}',
            "application/json",
            "x",
            "input.messages[0].content: must be text",
        ),
        (
            "chat",
            b'[{"role": "assistant", "content": "hi"}]',
            "application/json",
            "x",
            "input[0].role: the last word",
        ),
        ("imagefolder", b"hi", "text/plain", "x", "input: text/plain, and no picture"),
        ("imagefolder", PNG[:50], "image/png", "x", "input: a picture that cannot be decoded"),
        ("imagefolder", PNG, "image/png", "../x", "label: '../x' cannot name a folder"),
        ("coco", PNG, "image/png", "cat", "label: no list of boxes"),
        ("coco", PNG, "image/png", [{"bbox": [0, 0, 1, 1]}], "label[0].label: missing"),
        ("coco", PNG, "image/png", [{"label": "x", "bbox": [1]}], "label[0].bbox: must be four"),
        (
            "coco",
            PNG,
            "image/png",
            [{"label": "x", "bbox": [15, 0, 6, 1]}],
            "label[0].bbox: [15, 0, 6, 1] is not within a picture of 20 x 10",
        ),
    ],
)
def test_what_a_format_cannot_hold(wild, export, tmp_path, name, data, mime, label, why):
    capture(wild, [data], [label], mime)
    with pytest.raises(InvalidError, match="1 fault in what is to be exported") as error:
        export(name)
    assert error.value.items[0].startswith(f"r000000, {why}")


def test_nothing_is_left_of_an_export_that_failed(wild, tmp_path):
    capture(wild, [b"one", PNG], ["a", "b"], "text/plain")
    out = tmp_path / "elsewhere"
    out.mkdir()
    with pytest.raises(InvalidError):
        wild.repo.export("deployed", "wild", str(out / "made"), "chat")
    assert list(out.iterdir()) == []


def test_kinds_are_not_mixed_and_inputs_are_there(wild, export):
    capture(wild, [b"one"], ["a"], "text/plain")
    capture(wild, [PNG], ["a"], "image/png", start=1)
    wild.commit([{"record_id": "r000009"}], [{"record_id": "r000009", "value": "x"}])
    with pytest.raises(InvalidError) as error:
        export("hf")
    assert (
        "r000001, input: image, where others are text: export each by itself" in error.value.items
    )
    with pytest.raises(InvalidError) as error:
        export("parquet")
    assert error.value.items == ("r000009, input: none was kept",)


@pytest.mark.parametrize("name", ["chat", "preference", "parquet", "hf"])
def test_the_same_bytes_again_and_a_manifest_that_is_true(wild, export, name):
    capture(
        wild, [f"text {n}".encode() for n in range(9)], [f"l{n}" for n in range(9)], "text/plain"
    )
    one, made = export(name, split=0.4)
    two, _ = export(name, split=0.4)
    assert contents(one) == contents(two)
    manifest = json.loads(contents(one).pop("manifest.json"))
    assert manifest == made.manifest
    assert manifest["commits"] == [wild.repo.refs()["refs/heads/deployed"]]
    assert manifest["query"]["folder"] == "wild"
    assert sum(manifest["records"].values()) == 9
    told = {path: told["hash"] for path, told in manifest["files"].items()}
    there = {path: blake3(data).hexdigest() for path, data in contents(one).items()}
    del there["manifest.json"]
    assert told == there


def test_a_promoted_dataset(wild, export):
    capture(wild, [picture(n) for n in range(9)], ["cat"] * 9, "image/png", suffix=".png")
    made = wild.repo.promote("deployed", "wild", to="both", split=0.5)
    wild.repo.commit("data")
    target, told = export("imagefolder", "data", "main")
    assert told.counts == made.totals
    for name, n in made.totals.items():
        assert len(lines(target, f"{name}/metadata.jsonl")) == n
    pairs, _ = export("parquet", "data", "main")
    rows = parquet.read_table(os.path.join(pairs, "test.parquet")).to_pylist()
    assert {row["prediction"] for row in rows} == {"wrong"}
    with pytest.raises(UsageError):
        export("chat", "data", "main", where="true")


def test_a_dataset_that_leaks_is_not_exported(wild, export):
    capture(wild, [b"same", b"other"], ["a", "b"], "text/plain")
    wild.repo.promote("deployed", "wild", split=0)
    wild.repo.commit("data")
    table = parquet.read_table(io.BytesIO(wild.repo.read("data/train.parquet")))
    copied = io.BytesIO()
    at = table.column_names.index("split")
    parquet.write_table(table.set_column(at, "split", [["test"] * 2]), copied)
    with wild.repo.transaction("main", message="a copy, by hand", allow_leak=True) as t:
        t.put("data/test.parquet", copied.getvalue())
    with pytest.raises(InvalidError, match="would share 2 records") as error:
        export("parquet", "data", "main")
    assert error.value.items[0] == "r000000 would be in both"


def test_what_makes_no_sense(wild, export, tmp_path):
    capture(wild, [b"one"], [None], "text/plain")
    with pytest.raises(NothingToDoError):
        export("chat")
    with pytest.raises(UsageError, match="'csv' is no format"):
        export("csv")
    capture(wild, [b"two"], ["x"], "text/plain", start=5)
    with pytest.raises(ExistsError):
        wild.repo.export("deployed", "wild", str(tmp_path), "chat")
    with pytest.raises(NotFoundError):
        wild.repo.export("deployed", "wild", str(tmp_path / "no" / "where"), "chat")
