"""The same diff by engines without ox: a full outer join on the key, of two files as they lie.

Each gives the rows that differ, and fails unless they are as many as it is told.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benches.harness import Command
from benches.peers import Oxen
from benches.rows import COLUMNS

_POLARS = """
import polars as pl
scan = pl.scan_csv if {old!r}.endswith("csv") else pl.scan_parquet
names = {names!r}
both = scan({old!r}).join(scan({new!r}), on="id", how="full", suffix=" new")
differ = [pl.col(name).ne_missing(pl.col(name + " new")) for name in ("id", *names)]
found = both.filter(pl.any_horizontal(differ)).collect(engine="streaming")
assert len(found) == {count}, len(found)
"""
_OXEN = """
import oxen
found = oxen.diff({old!r}, to={new!r}, keys=["id"], compares={names!r})
assert len(found.tabular.data) == {count}, found.tabular.data
"""


def duckdb(folder: Path, name: str, count: int) -> None:
    """DuckDB: two threads, at most 1 GB, then it spills."""
    import duckdb as engine

    differ = [f"a.{one} IS DISTINCT FROM b.{one}" for one in COLUMNS]
    link = engine.connect(config={"memory_limit": "1GB", "threads": 2})
    link.execute(f"SET temp_directory = '{folder / 'spilled'}'")
    old, new = (f"'{folder / version / name}'" for version in ("1", "2"))
    text = f"FROM {old} a FULL OUTER JOIN {new} b ON a.id = b.id WHERE {' OR '.join(differ)}"
    found = link.execute(text).fetchall()
    if len(found) != count:
        raise RuntimeError(f"{len(found)} rows differ, not {count}")


def polars(folder: Path, name: str, count: int) -> Command | None:
    """Polars, by its streaming engine, in a Python that has it."""
    found = [one for one in (sys.executable, os.environ.get("OXEN_PYTHON")) if _has_polars(one)]
    return [found[0] or "", "-c", _code(_POLARS, folder, name, count)] if found else None


def oxen(folder: Path, name: str, count: int) -> Command | None:
    """Oxen's diff of two files, by its Python package."""
    python = Oxen().python()
    return [python, "-c", _code(_OXEN, folder, name, count)] if python else None


def _code(code: str, folder: Path, name: str, count: int) -> str:
    old, new = (str(folder / version / name) for version in ("1", "2"))
    names: Sequence[str] = [one for one in COLUMNS if one != "id"]
    return code.format(old=old, new=new, names=names, count=count)


def _has_polars(python: str | None) -> bool:
    if not python:
        return False
    if python == sys.executable:
        return importlib.util.find_spec("polars") is not None
    return not subprocess.run([python, "-c", "import polars"], check=False).returncode
