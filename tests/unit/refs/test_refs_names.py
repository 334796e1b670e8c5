"""Names of refs follow git's rules."""

import shutil
import subprocess

import pytest

from oxcore.errors import ExistsError, InvalidError
from oxcore.refs import branch_ref, check_ref_name, remote_ref, short_name, tag_ref
from oxcore.refs.names import check_no_clash

GOOD = ["main", "a/b", "a.b", "feature/x-1", "ü", "a@b", "@a", "lock", "a.lockx", "{a}", "a-", "1"]
BAD = [
    "", "/", "a/", "/a", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "a..b", "a b", "a~1", "a^",
    "a:b", "a?", "a*", "a[b", "a.", "a@{1}", "a\\b", "a\x7fb", "a\nb", "a\0b", "..", ".",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_good_names_pass(name):
    assert branch_ref(name) == f"refs/heads/{name}"
    assert short_name(branch_ref(name)) == name
    assert short_name(tag_ref(name)) == name
    assert short_name(remote_ref("origin", name)) == f"origin/{name}"


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused(name):
    with pytest.raises(InvalidError):
        tag_ref(name)


@pytest.mark.skipif(shutil.which("git") is None, reason="compares with git")
def test_git_agrees():
    for name in GOOD + [bad for bad in BAD if "\0" not in bad]:
        run = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
        assert (run.returncode == 0) == (name in GOOD), name


def test_rules_of_their_own():
    for name in ["-x", "HEAD"]:
        with pytest.raises(InvalidError):
            branch_ref(name)
    with pytest.raises(InvalidError):
        remote_ref("a/b", "main")
    with pytest.raises(InvalidError):
        check_ref_name("heads/main")
    with pytest.raises(InvalidError):
        branch_ref("\ud800")
    assert tag_ref("HEAD") == "refs/tags/HEAD"


def test_the_error_tells_the_rule():
    with pytest.raises(InvalidError, match=r"'a b'.*space"):
        branch_ref("a b")


def test_a_ref_is_no_folder_of_another():
    check_no_clash(["refs/heads/a", "refs/heads/ab", "refs/heads/b/c", "refs/heads/b/d"])
    with pytest.raises(ExistsError, match="refs/heads/a/b"):
        check_no_clash(["refs/heads/a", "refs/heads/a/b"])
    with pytest.raises(ExistsError):
        check_no_clash(["refs/heads/a/b/c", "refs/heads/a"])
