"""The demo of the README, on the made dataset: it checks itself, bit for bit."""

import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "main_job.py"


def test_the_main_job_ends_well_and_says_what_was_stored_shared_and_sent():
    words = [sys.executable, str(DEMO), "--made"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.count("the same, bit for bit") == 4
    assert re.findall("^(Stored|Shared|Sent) ", done.stdout, re.MULTILINE) == (
        ["Stored", *["Shared"] * 4, *["Sent"] * 2]
    )
    assert "ox_" not in done.stdout  # no token on the screen
