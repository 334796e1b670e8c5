"""Each verb is found by its name, in whichever room it lies."""

import ast
import pkgutil
from pathlib import Path

import pytest

from oxcore import verbs


def test_every_module_that_is_asked_for_by_name_is_there():
    declared = {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(verbs.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module.startswith(("oxcore.repo", verbs.__name__))
        for alias in node.names
    }
    found = {name: getattr(verbs, name).__name__ for name in declared}
    assert found == {name: f"{home}.{name}" for name, home in declared.items()}


def test_every_verb_is_declared_for_readers_and_type_checkers():
    text = Path(verbs.__file__).read_text(encoding="utf-8")
    here = [found.name for found in pkgutil.iter_modules(verbs.__path__) if not found.ispkg]
    assert [name for name in here if f" import {name} as {name}\n" not in text] == []


def test_each_room_tells_what_it_is_for():
    rooms = [found.name for found in pkgutil.iter_modules(verbs.__path__) if found.ispkg]
    assert len(rooms) >= 6
    for name in rooms:
        assert getattr(verbs, name).__doc__


def test_what_is_no_verb_is_no_attribute():
    with pytest.raises(AttributeError, match="no verb 'stauts'"):
        _ = verbs.stauts
