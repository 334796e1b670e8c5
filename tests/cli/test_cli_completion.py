"""``ox completion``, and what a shell gets when it asks."""

import shutil
import subprocess

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(ox, shell):
    script = ox("completion", shell).out
    assert f"_OX_COMPLETE={shell}_complete" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_takes_the_script(ox):
    script = ox("completion", "bash").out
    subprocess.run(["bash", "-n"], input=script.encode(), check=True)


def test_an_unknown_shell(ox):
    result = ox.fails("completion", "tcsh")
    assert result.code == 2
    assert "'bash', 'zsh', 'fish'" in result.err


def complete(ox, words):
    asked = {"_OX_COMPLETE": "bash_complete", "COMP_WORDS": words}
    asked["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    result = ox.process(env=asked.items())
    assert result.stderr == b""
    return [line.partition(",")[2] for line in result.stdout.decode().splitlines()]


def test_verbs_and_options_complete(ox):
    assert complete(ox, "ox st") == ["status", "stash", "stats"]
    assert "--global" in complete(ox, "ox config --")
    assert "--stats" in complete(ox, "ox --")


def test_branches_and_tags_complete_and_nothing_outside_a_repository(ox, tmp_path, monkeypatch):
    from oxcli.clicked import Revision
    from oxcore import Repo

    monkeypatch.chdir(tmp_path)
    names = lambda text: [one.value for one in Revision().shell_complete(None, None, text)]  # noqa: E731
    assert names("") == []
    ox("init")
    with Repo.open(str(tmp_path)) as repo:
        view, some = repo._repo.view(), "ab" * 32
        assert view["HEAD"] == "ref:refs/heads/main"
        new = ("refs/heads/main", "refs/heads/feature/x", "refs/tags/v1", "refs/remotes/o/main")
        with repo._repo.lock("test"):
            repo._repo.operate("test", "", dict.fromkeys(new, (None, some)))
    assert sorted(names("")) == ["feature/x", "main", "o/main", "v1"]
    assert names("fe") == ["feature/x"]
