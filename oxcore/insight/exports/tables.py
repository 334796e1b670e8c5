"""Tables: Parquet with the inputs beside it, and a dataset of Hugging Face that holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from oxcore.insight.exports.folder import Folder
from oxcore.insight.exports.samples import Faults, Sample, by_split, data_of, is_text, text_of
from oxcore.repo import Repository
from oxcore.store import content

_TOLD = ("record_id", "label", "value", "output", "prediction", "group_key")
_GROUP = 32 << 20  # bytes of a row group, about
_TEXT = pa.string()


def parquet(repo: Repository, samples: list[Sample], out: Folder, faults: Faults) -> None:
    """``train.parquet``, ``test.parquet`` and ``media/``; ``path`` is from the folder."""
    schema = pa.schema([(name, _TEXT) for name in (*_TOLD, "path", "mime", "input_hash")])
    seen: set[str] = set()
    for name, found in by_split(samples):
        rows = []
        for one in found:
            row = {column: getattr(one, column) for column in _TOLD}
            if one.entry is not None:
                oid = one.entry.id.hex()
                row |= {"path": f"media/{oid[:2]}/{oid}{one.suffix}", "input_hash": oid}
                if row["path"] not in seen:
                    seen.add(row["path"])
                    out.write(row["path"], content.read(repo.store, one.entry.id))
            else:
                faults.note(one, "input", "none was kept")
            rows.append({**row, "mime": one.mime or None})
        table = pa.Table.from_pylist(rows, schema)
        pq.write_table(table, out.place(f"{name}.parquet"), compression="zstd")
        out.took(f"{name}.parquet")


def hf(repo: Repository, samples: list[Sample], out: Folder, faults: Faults) -> None:
    """``data/SPLIT-00000-of-00001.parquet``, which hold the inputs, and a card, ``README.md``."""
    kind = _kind(samples, faults)
    media = kind != "text"
    of_media = pa.struct([("bytes", pa.binary()), ("path", _TEXT)])
    fields = [(kind, of_media if media else _TEXT), *((name, _TEXT) for name in _TOLD)]
    features: dict[str, object] = {
        name: {"dtype": "string", "_type": "Value"} for name, _ in fields
    }
    if media:
        features[kind] = _FEATURES[kind]
    info = json.dumps({"info": {"features": features}})
    schema = pa.schema(fields, metadata={"huggingface": info})
    counts: dict[str, tuple[int, int]] = {}
    for name, found in by_split(samples):
        file = f"data/{name}-00000-of-00001.parquet"
        with pq.ParquetWriter(out.place(file), schema, compression="zstd") as writer:
            size = 0
            for rows in _groups(repo, found, kind, faults):
                table = pa.Table.from_pylist(rows, schema)
                writer.write_table(table)
                size += table.nbytes
        out.took(file)
        counts[name] = len(found), size
    out.write("README.md", _card(kind, counts, sorted({one.label for one in samples})))


_FEATURES = {
    "image": {"_type": "Image"},
    "audio": {"_type": "Audio"},
    "file": {
        "bytes": {"dtype": "binary", "_type": "Value"},
        "path": {"dtype": "string", "_type": "Value"},
    },
}


_DTYPES: dict[str, dict[str, object]] = {
    "text": {"dtype": "string"},
    "image": {"dtype": "image"},
    "audio": {"dtype": "audio"},
    "file": {"struct": [{"name": "bytes", "dtype": "binary"}, {"name": "path", "dtype": "string"}]},
}


def _groups(
    repo: Repository, samples: list[Sample], kind: str, faults: Faults
) -> Iterator[list[dict[str, Any]]]:
    """The rows, so many at once that they fit in memory."""
    rows: list[dict[str, Any]] = []
    size = 0
    for one in samples:
        row: dict[str, Any] = {column: getattr(one, column) for column in _TOLD}
        if kind == "text":
            row[kind] = text = text_of(repo, one, faults)
            size += len(text or "")
        else:
            data = data_of(repo, one, faults)
            row[kind] = {"bytes": data, "path": one.record_id + one.suffix}
            size += len(data or b"")
        rows.append(row)
        if size > _GROUP:
            yield rows
            rows, size = [], 0
    yield rows


def _kind(samples: list[Sample], faults: Faults) -> str:
    """What the inputs are: text, image, audio, or file; a fault where they are of several kinds."""
    first = ""
    for one in samples:
        head = one.mime.partition("/")[0]
        kind = "text" if is_text(one) else head if head in {"image", "audio"} else "file"
        first = first or kind
        if kind != first:
            faults.note(one, "input", f"{kind}, where others are {first}: export each by itself")
    return first or "file"


def _card(kind: str, counts: dict[str, tuple[int, int]], labels: list[str]) -> bytes:
    import yaml

    files = [{"split": name, "path": f"data/{name}-*.parquet"} for name in counts]
    head = {
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {
            "features": [
                {"name": kind, **_DTYPES[kind]},
                *({"name": name, "dtype": "string"} for name in _TOLD),
            ],
            "splits": [
                {"name": name, "num_bytes": size, "num_examples": n}
                for name, (n, size) in counts.items()
            ],
        },
        "tags": ["ox"],
    }
    told = [f"- {name}: {n:,}" for name, (n, _) in counts.items()]
    shown = ", ".join(json.dumps(one, ensure_ascii=False) for one in labels[:50])
    more = f" and {len(labels) - 50:,} more" if len(labels) > 50 else ""
    lines = [
        "---",
        yaml.safe_dump(head, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        "# Records of a model in service",
        "",
        "Each row is a call of a model whose answer somebody corrected or confirmed.",
        f"`{kind}` is the input, `label` what is right, `value` that as JSON; `prediction` and",
        "`output` are what the model said; rows of one `group_key` belong together.",
        "`manifest.json` names the commits that they come from.",
        "",
        *told,
        "",
        f"Labels: {shown}{more}",
        "",
    ]
    return "\n".join(lines).encode("utf-8", "replace")
