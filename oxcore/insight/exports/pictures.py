"""Pictures: ImageFolder, a folder a class, and COCO, boxes in one file of JSON."""

from __future__ import annotations

import io
import json
import struct
import warnings
from typing import Any, NamedTuple

from oxcore.insight.exports.folder import Folder
from oxcore.insight.exports.samples import Faults, Sample, by_split, data_of, line, name_of
from oxcore.repo import Repository

_NAMES = ("label", "category", "class", "name")
_EDGE = 1e-6  # pixels that a box may be out by, for rounding


class Picture(NamedTuple):
    """A picture: the name of its file, its bytes and its size in pixels."""

    name: str
    data: bytes
    width: int
    height: int


def imagefolder(repo: Repository, samples: list[Sample], out: Folder, faults: Faults) -> None:
    """``SPLIT/LABEL/RECORD.png`` and ``SPLIT/metadata.jsonl``."""
    for split, found in by_split(samples):
        lines = []
        for one in found:
            picture = _picture(repo, one, faults)
            if _is_folder(one.label):
                if picture is not None:
                    file = f"{one.label}/{picture.name}"
                    out.write(f"{split}/{file}", picture.data)
                    lines.append(line(_metadata(one, file)))
            else:
                faults.note(one, "label", f"{one.label[:60]!r} cannot name a folder")
        out.write(f"{split}/metadata.jsonl", lines)


def coco(repo: Repository, samples: list[Sample], out: Folder, faults: Faults) -> None:
    """``SPLIT/RECORD.png`` and ``annotations/instances_SPLIT.json``. The label is a list of boxes:
    ``[{"bbox": [x, y, width, height], "label": "cat"}, ...]``."""
    boxes = {one.record_id: _boxes(one, faults) for one in samples}
    names = sorted({box["label"] for listed in boxes.values() for box in listed})
    ids = {name: number for number, name in enumerate(names, 1)}
    for split, found in by_split(samples):
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for one in found:
            picture = _picture(repo, one, faults)
            if picture is None:
                continue
            out.write(f"{split}/{picture.name}", picture.data)
            images.append(
                {
                    "id": len(images) + 1,
                    "file_name": picture.name,
                    "width": picture.width,
                    "height": picture.height,
                    "record_id": one.record_id,
                }
            )
            for at, box in enumerate(boxes[one.record_id]):
                _check_inside(one, at, box["bbox"], picture, faults)
                annotations.append(_annotation(len(annotations) + 1, len(images), box, ids))
        document = {
            "info": {"description": "records of a model in service", "version": "1"},
            "licenses": [],
            "images": images,
            "annotations": annotations,
            "categories": [{"id": number, "name": name} for name, number in ids.items()],
        }
        text = json.dumps(document, ensure_ascii=False, indent=1)
        out.write(f"annotations/instances_{split}.json", text.encode("utf-8", "replace"))


def _annotation(
    number: int, image: int, box: dict[str, Any], ids: dict[str, int]
) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": ids[box["label"]],
        "bbox": box["bbox"],
        "area": box["bbox"][2] * box["bbox"][3],
        "iscrowd": 0,
        "segmentation": [],
    }


def _metadata(sample: Sample, file: str) -> dict[str, Any]:
    return {
        "file_name": file,
        "label": sample.label,
        "record_id": sample.record_id,
        "prediction": sample.prediction,
        "group_key": sample.group_key,
    }


def _picture(repo: Repository, sample: Sample, faults: Faults) -> Picture | None:
    """The input as a picture that can be decoded; None after a fault."""
    from PIL import Image

    name, data = name_of(sample, faults), data_of(repo, sample, faults)
    if name is None or data is None:
        return None
    if not sample.mime.startswith("image/"):
        faults.note(sample, "input", f"{sample.mime or 'of an unknown kind'}, and no picture")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                return Picture(name, data, image.width, image.height)
    except (ValueError, OSError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        faults.note(sample, "input", f"a picture that cannot be decoded: {error}")
        return None


def _is_folder(label: str) -> bool:
    plain = label.strip() == label and label not in {"", ".", ".."} and label.isprintable()
    return plain and not set(label) & set('/\\:*?"<>|') and len(label.encode()) <= 200


def _boxes(sample: Sample, faults: Faults) -> list[dict[str, Any]]:
    """The boxes that a label is, each with ``bbox`` and ``label``; faults for what is none."""
    try:
        value: object = json.loads(sample.label)
    except ValueError:
        value = None
    if not isinstance(value, list):
        faults.note(
            sample, "label", 'no list of boxes, as [{"bbox": [x, y, w, h], "label": "cat"}]'
        )
        return []
    made = []
    for at, one in enumerate(value):
        box = one if isinstance(one, dict) else {}
        name = next((box[key] for key in _NAMES if isinstance(box.get(key), str)), "")
        place = box.get("bbox")
        if not name:
            faults.note(sample, f"label[{at}].label", "missing: the class of the box")
        elif not (isinstance(place, list) and len(place) == 4 and all(map(_is_number, place))):
            faults.note(sample, f"label[{at}].bbox", "must be four numbers: x, y, width, height")
        else:
            made.append({"bbox": place, "label": name})
    return made


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _check_inside(
    sample: Sample, at: int, place: list[float], picture: Picture, faults: Faults
) -> None:
    x, y, width, height = place
    inside = (
        min(x, y) >= -_EDGE
        and min(width, height) > 0
        and x + width <= picture.width + _EDGE
        and y + height <= picture.height + _EDGE
    )
    if not inside:
        size = f"{picture.width} x {picture.height}"
        faults.note(sample, f"label[{at}].bbox", f"{place} is not within a picture of {size}")
