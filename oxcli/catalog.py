"""Every verb by section, and the overview that ``ox --help`` prints.

Plain data without click, so that the overview costs no import: a verb's module is loaded only
when the verb is called.
"""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "Start": {
        "init": "make a repository in a folder",
        "clone": "copy a repository from a path or a hub",
        "config": "read and change settings",
        "completion": "print the completion script of a shell",
    },
    "Work": {
        "add": "stage files for the next commit",
        "rm": "remove files from the stage and the folder",
        "mv": "move or rename files",
        "status": "what is staged, changed, new, in conflict",
        "commit": "record the stage as a new version",
        "restore": "bring files back from the stage or a version",
        "reset": "move the branch, unstage files",
        "stash": "put unsaved work aside and take it back",
    },
    "Look": {
        "log": "history, newest first",
        "show": "one commit: who, when, why, what changed",
        "diff": "what differs between folder, stage and versions",
        "ls": "files of a version, with ids and sizes",
        "cat": "print a file of any version",
        "df": "rows, columns and statistics of a table file",
        "sql": "one query over tables of several files and versions",
        "schema": "types, key and meaning of a table's columns, kept with it",
        "blame": "which commit set each cell of a row of a table",
        "stats": "what a version holds, and how far it drifted from another",
        "info": "the repository, or one file or folder, at a glance",
        "du": "logical and stored size, and what is shared",
    },
    "Branch & merge": {
        "branch": "list, create, rename, delete branches",
        "switch": "go to another branch",
        "checkout": "go to a branch or commit, or take files from one",
        "tag": "list, create, delete tags",
        "merge": "join another branch into this one",
        "conflicts": "what is open of a merge, in tables cell by cell",
        "resolve": "settle conflicts, by file or by cell",
        "revert": "undo a commit by a new one",
        "cherry-pick": "repeat a commit here",
    },
    "Share": {
        "remote": "list, add, remove remotes",
        "fetch": "get a remote's branches, tags and data",
        "pull": "fetch and bring this branch up to date",
        "push": "send branches, tags and data to a remote",
        "login": "remember the token of a hub",
        "token": "make, list and revoke a hub's tokens",
        "hub": "serve repositories over HTTP",
    },
    "Capture & learn": {
        "capture": "what models saved: what waits, what went wrong",
        "report": "what a model got right and wrong, in figures",
        "failures": "the records that failed, the worst first",
        "label": "take ground truth that arrives as a table",
        "slice": "name sets of records, as files",
        "rule": "small predicates that propose labels, measured and applied",
        "promote": "labelled records into data to train on and to test with",
        "export": "records as files that trainers read, in their formats",
        "eval": "measure predictions against a truth, as a commit",
        "compare": "what one evaluation fixes and breaks against another",
        "request": "give failures back to who owns the model, until one passes",
    },
    "Undo & upkeep": {
        "oplog": "every operation on this repository",
        "undo": "take back an operation",
        "gc": "delete data that nothing refers to",
        "fsck": "check all stored data, and repair it",
        "verify": "prove a version from its id to the last byte",
    },
}

VERBS = {verb: line for verbs in SECTIONS.values() for verb, line in verbs.items()}

OPTIONS = {
    "-C PATH": "run as if started in PATH",
    "-q, --quiet": "no progress, no remarks: only what was asked for",
    "--no-color": "plain text (also: NO_COLOR in the environment)",
    "--stats": "at the end, print the counters of the run to stderr",
    "--debug": "on an error, print the traceback",
    "--version": "print the version and exit",
    "-h, --help": "print this text and exit",
}


def module_of(verb: str) -> str:
    """The module that holds the verb's command."""
    return "oxcli.commands." + verb.replace("-", "_")


def overview() -> str:
    """What ``ox --help`` prints, with a line break at its end."""
    parts = [
        "Usage: ox [OPTIONS] VERB [ARGS]...",
        "",
        "Git for datasets: version, move and compare folders of images, audio, tables.",
    ]
    for section, verbs in SECTIONS.items():
        parts += ["", f"{section}:", *_two_columns(verbs)]
    parts += ["", "Options, before the verb:", *_two_columns(OPTIONS)]
    parts += ["", "ox VERB --help tells more, with examples.", ""]
    return "\n".join(parts)


def _two_columns(rows: dict[str, str]) -> list[str]:
    return [f"  {left:<13}{right}" for left, right in rows.items()]
