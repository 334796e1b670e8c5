"""The example of a model that fails and is mended: it ends with an error unless it is better."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"


def test_failures_are_found_mended_and_proved_to_be_mended(tmp_path):
    pytest.importorskip("sklearn")
    words = [sys.executable, str(EXAMPLE), "--small"]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert "450 records, 0 labelled" in done.stdout
    fixed, broken = re.findall(r"^  (\d+) fixed, (\d+) broken", done.stdout, re.MULTILINE)[0]
    assert int(fixed) > 2 * int(broken)
    assert re.search(r"^  no regression$", done.stdout, re.MULTILINE)
    assert re.search(r"^  closed: commit \w+ on request/sideways$", done.stdout, re.MULTILINE)
    assert "regression: " in done.stdout
