import json
import random
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from blake3 import blake3

from oxcore.chunk import ChunkParams, cut, cut_slow

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/design/001-chunking.md").read_text(encoding="utf-8")
[BLOCK] = re.findall(r"^```vectors json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
VECTORS = json.loads(BLOCK)
NAMES = [vector["seed"] for vector in VECTORS]

# The library as it is on a machine that it has no wheel for: without its native module.
WITHOUT_NATIVE = """
import json, random, sys, warnings
sys.modules["pyfastcdc.cy"] = None
warnings.simplefilter("ignore")
from oxcore.chunk import ChunkParams, cut
params, sizes = json.loads(sys.argv[1])
for size in sizes:
    print(json.dumps(cut(random.Random(size).randbytes(size), ChunkParams(**params), final=True)))
assert "pyfastcdc.py" in sys.modules
"""


def content(vector):
    unit = blake3(vector["seed"].encode()).digest(length=vector["unit"])
    return (unit * (vector["length"] // len(unit) + 1))[: vector["length"]]


def run(program, *args):
    command = [sys.executable, "-c", program, *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_the_library_cuts_as_the_document_says(vector):
    params = ChunkParams.from_dict(vector["params"])
    assert cut(content(vector), params, final=True) == vector["cuts"]


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_the_slow_twin_cuts_as_the_document_says(vector):
    params = ChunkParams.from_dict(vector["params"])
    assert cut_slow(content(vector), params) == vector["cuts"]


def test_the_vectors_reach_every_way_to_cut():
    sizes = {
        (vector["params"]["mean"], end - start)
        for vector in VECTORS
        for start, end in pairwise([0, *vector["cuts"]])
    }
    assert any(size == 4 * mean for mean, size in sizes)  # by force, at the maximum
    assert any(mean < size < 4 * mean for mean, size in sizes)  # by the lax mask
    assert any(mean / 4 <= size < mean for mean, size in sizes)  # by the strict mask
    assert any(size % 2 for _, size in sizes)


def test_without_its_native_module_the_library_cuts_the_same():
    params, sizes = ChunkParams(minimum=256, mean=1024, maximum=4096), [0, 255, 4097, 100_001]
    given = {"minimum": params.minimum, "mean": params.mean, "maximum": params.maximum}
    lines = run(WITHOUT_NATIVE, json.dumps([given, sizes])).splitlines()
    data = [random.Random(size).randbytes(size) for size in sizes]
    assert [json.loads(line) for line in lines] == [cut(one, params, final=True) for one in data]
