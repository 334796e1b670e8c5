"""Ignore rules against the real ``git check-ignore``."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oxcore.errors import StorageError
from oxcore.worktree import Ignore, scan
from oxcore.worktree.globs import bounded, compile_glob, is_tame

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    root = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


def clear(root):
    for name in os.listdir(root):
        place = root / name
        if name != ".git":
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()


def build(root, files, rules):
    """Both kinds of ignore files beside each other, with the same content."""
    clear(root)
    for path in files:
        place = os.path.join(os.fsencode(root), path)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "xb"):
                pass
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
    for folder, text in rules.items():
        for name in (b".oxignore", b".gitignore"):
            place = os.path.join(os.fsencode(root), folder, name)
            if os.path.isdir(os.path.dirname(place)):
                with open(place, "wb") as file:
                    file.write(text)


def git_ignores(root, paths):
    """The paths that git ignores; none of them is tracked."""
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "-z", "--stdin"],
        cwd=root,
        input=b"\0".join(b"./" + path for path in paths),  # a ':' in front would be magic
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {path.removeprefix(b"./") for path in done.stdout.split(b"\0")} - {b""}


def everything(root):
    """Each path under the root, with whether it is a folder."""
    base = os.fsencode(root)
    for folder, folders, names in os.walk(base):
        if b".git" in folders:
            folders.remove(b".git")
        above = os.path.relpath(folder, base)
        for name in folders + names:
            path = name if above == b"." else above + b"/" + name
            yield path, name in folders


def compare(root, files, rules):
    build(root, files, rules)
    paths = [(p, d) for p, d in everything(root) if not p.endswith((b".gitignore", b".oxignore"))]
    ignore = Ignore(str(root))
    ours = {path for path, is_folder in paths if ignore.ignores(path, is_folder=is_folder)}
    theirs = git_ignores(root, [path for path, _ in paths])
    assert ours == theirs
    walked = {
        folder.join(name)
        for folder in scan(str(root), ignore)
        for name in folder.names
        if name not in {b".gitignore", b".oxignore"}
    }
    assert walked == {path for path, is_folder in paths if not is_folder} - theirs


FILES = [
    b"a",
    b"b.txt",
    b"c/a",
    b"c/b.txt",
    b"c/d/a",
    b"c/d/e.py",
    b"d/d/d",
    b"x y/z",
    b"#h",
    b"!n",
]


@needs_git
@pytest.mark.parametrize(
    "text",
    [
        b"a\n",
        b"/a\n",
        b"c/\n",
        b"*.txt\n!b.txt\n",
        b"*\n!*/\n!*.txt\n",
        b"c\n!c/a\n",
        b"c/*\n!c/d\n",
        b"**/d\n",
        b"c/**\n!c/d/\n!c/d/a\n",
        b"c/**/a\n",
        b"/*\n!/c\n/c/*\n!/c/d\n",
        b"\\#h\n\\!n\n",
        b"#h\n",
        b"!n\n",
        b"x y \n",
        b"x\\ y\n",
        b"x?y\n",
        b"[[:alpha:]]\n",
        b"[![:alpha:]]*\n",
        b"[a-c]\n",
        b"[]a]\n",
        b"[\\]a]\n",
        b"[a\n",
        b"[[:nope:]a]\n",
        b"a\\\n",
        b"\\a\n",
        b"\\/a\n",
        b"[/c]\n",
        b"a\r\nc/d/e.py\r\n",
        b"\xef\xbb\xbfa\n",
        b"/\n",
        b"//\n",
        b"!\n",
        b"**\n",
        b"**/\n",
        b"*/\n",
        b"/**/d\n",
        b"c/d**\n",
        b"c**a\n",
        b"d/d/\n",
        b"d/d\n!d/d/d\n",
        b"a \\ \n",
        b"\t\na\t\n",
    ],
)
def test_as_git_on_known_corners(repo, text):
    compare(repo, FILES, {b"": text})


WHOLE = ["**", "**/", "/**", "[ab]", "[!a]", "[a-c]", "[[:alnum:]]", "a", "b"]
SIGNS = [*"ab*?[]!^-\\/.#: ", *WHOLE]
# git cuts the literal start off a pattern before it looks for '**/', so that 'a**/b' becomes
# '**/b' behind an 'a'; its manual calls such asterisks regular ones, and so do we.
GLUED = re.compile(r"[^/]\*\*+/")
pattern = (
    st.lists(st.sampled_from(SIGNS), min_size=1, max_size=6)
    .map("".join)
    .filter(lambda line: not GLUED.search(line))
)
text = st.lists(pattern, max_size=4).map(lambda lines: "\n".join(lines).encode() + b"\n")
part = st.sampled_from(
    ["a", "b", "ab", "a.b", "ba", "b b", "[a]", "!a", "#b", "a-", "-", "^", "\\a"]
)
path = st.lists(part, min_size=1, max_size=3).map(lambda parts: "/".join(parts).encode())
paths = st.lists(path, min_size=1, max_size=8)
folder = st.sampled_from([b"", b"a", b"b", b"ab", b"a/b"])


@needs_git
@settings(max_examples=250, deadline=None)
@given(paths, st.dictionaries(folder, text, max_size=3))
@example([b"a/b/a"], {b"": b"*\n!*/\n", b"a": b"b\n"})
def test_as_git_on_made_patterns(repo, files, rules):
    compare(repo, files, rules)


@needs_git
@settings(max_examples=60, deadline=None)
@example(b"\x1c", [b"\x1c"])
@example(b"a\x85", [b"a\x85", b"a"])
@example(b" a", [b" a", b"a"])
@example(b"\xa0a", [b"\xa0a", b"a"])
@given(st.binary(max_size=12), st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=5))
def test_as_git_on_raw_bytes(repo, raw, names):
    bad = {b".", b"..", b".git", b".ox"}
    files = [n for n in names if not {0, 47} & set(n) and n.lower() not in bad]
    compare(repo, files, {b"": raw.replace(b"\0", b"") + b"\n"})


def test_excludes_are_the_weakest(tmp_path):
    (tmp_path / "a.log").touch()
    (tmp_path / ".oxignore").write_bytes(b"!a.log\n")
    ignore = Ignore(str(tmp_path), ("*.log", "*.tmp"))
    assert not ignore.ignores(b"a.log")
    assert ignore.ignores(b"b.tmp")


def test_why_names_file_line_and_pattern(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".oxignore").write_bytes(b"# data\n\n*.raw\n/tmp/\n")
    (tmp_path / "sub" / ".oxignore").write_bytes(b"!keep.raw\n")
    ignore = Ignore(str(tmp_path), ("*.bak",))
    assert ignore.why(b"x.raw") == (".oxignore", 3, b"*.raw")
    assert ignore.why(b"tmp/deep/file") == (".oxignore", 4, b"/tmp/")
    assert ignore.why(b"sub/keep.raw") == ("sub/.oxignore", 1, b"!keep.raw")
    assert ignore.why(b"sub/a.bak") == ("excludes", 1, b"*.bak")
    assert ignore.why(b"sub/plain") is None
    assert ignore.why(b"") is None
    assert not ignore.ignores(b"sub/keep.raw")


def test_an_ignore_file_that_is_a_link_is_none(tmp_path):
    (tmp_path / "real").write_bytes(b"*\n")
    (tmp_path / ".oxignore").symlink_to("real")
    assert not Ignore(str(tmp_path)).ignores(b"x")


def test_an_ignore_file_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    (tmp_path / ".oxignore").write_bytes(b"*\n")
    real = os.open

    def refusing(path, *rest, **more):
        if isinstance(path, bytes) and path.endswith(b".oxignore"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(StorageError):
        list(scan(str(tmp_path), Ignore(str(tmp_path))))


def test_names_with_a_newline(tmp_path):
    ignore = Ignore(str(tmp_path), ("foo", "*.x", "a?b"))
    assert not ignore.ignores(b"foo\n")
    assert ignore.ignores(b"a\nb")
    assert ignore.ignores(b"d\n/foo")
    assert ignore.ignores(b"\n.x")


HOSTILE = [
    b"*a" * 40 + b"b",
    b"*?" * 60 + b"b",
    b"[a]*" * 60 + b"b",
    b"a/" + b"*a" * 40 + b"b",
    b"**/*a*a*a*a*a*a/" * 8 + b"b",
    b"**/a/" * 20 + b"b",
    b"/**/*/" * 20 + b"**/b",
    b"***a" * 40 + b"b/**",
]
MATCH = """
import sys
from oxcore.worktree.globs import compile_glob
lines = sys.stdin.buffer.read().splitlines()
for line in lines:
    for path in (b"a" * 255, b"/".join([b"a" * 60] * 60), b"a/" * 2000 + b"c"):
        assert compile_glob(line).match(path) is None, line
"""


def test_no_pattern_of_a_stranger_takes_for_ever():
    # Backtracking would take longer than the universe has been there; this takes milliseconds.
    subprocess.run([sys.executable, "-c", MATCH], input=b"\n".join(HOSTILE), check=True, timeout=60)


def test_plain_globs_go_through_the_library_and_others_do_not():
    tame = [b"*.log", b"/cache", b"a/b", b"**/x", b"a/**/b", b"x*y*z", b"a?c", b"name with space"]
    assert all(map(is_tame, tame))
    wild = [b"[ab]", b"a\\*", b"#x", b"!x", b"x ", b"*a*a*a*b", b"**/a/**/b"]
    assert not any(map(is_tame, wild))


_letters = st.text("ab?.", max_size=2)
_parts = st.one_of(
    st.just("**"),
    st.text("ab?.", min_size=1, max_size=3),
    st.builds("{}*{}".format, *[_letters] * 2),
)
_globs = st.builds(
    lambda front, parts: (front + "/".join(parts)).encode(),
    st.sampled_from(["", "/"]),
    st.lists(_parts, min_size=1, max_size=4),
)
_names = st.lists(st.text("ab.\n", min_size=1, max_size=3), min_size=1, max_size=5)


@given(glob=_globs.filter(is_tame), name=_names.map("/".join).map(str.encode))
@settings(max_examples=400, deadline=None)
def test_both_readings_of_a_plain_glob_agree(glob, name):
    by_library, own = compile_glob(glob), bounded(glob)
    assert by_library is not None
    assert own is not None
    found = by_library.match(name)
    assert (found is not None and found.lastgroup is None) == (own.match(name) is not None)
