"""A small dataset like those that people have: pictures, sounds, a table, odd files. No network.

``make(folder)`` writes version 1, ``revise(folder)`` turns it into version 2; the same seed gives
the same bytes. ``snapshot(folder)`` is all that has to come out again on another machine.
"""

import json
import os
import random
import stat
import struct
import zlib

PICTURES = 40
ROWS = 5000
_ODD = b"notes/caf\xe9.txt"  # Latin-1: no UTF-8


def make(folder, *, pictures=PICTURES, rows=ROWS, seed=0):
    """Write version 1 of the dataset into ``folder``."""
    for number in range(pictures):
        put(folder, f"images/{number % 4}/{number:04}.png", png(24, 24, seed + number))
    for number in range(3):
        put(folder, f"audio/{number}.wav", wav(0.5, seed + number))
    put(folder, "labels.csv", table(rows, seed))
    put(folder, "meta.json", json.dumps({"name": "shapes", "version": 1}, indent=1).encode())
    put(folder, "empty", b"")
    put(folder, "copies/0000.png", png(24, 24, seed))
    put(folder, "tools/convert.sh", b"#!/bin/sh\necho converted\n", mode=0o755)
    put(folder, _ODD, b"a name that is not UTF-8\n")
    put(folder, "notes/\u00fcber uns.txt", b"spaces and umlauts\n")
    os.symlink("images/0/0000.png", os.path.join(folder, "cover.png"))
    os.symlink("../nowhere", os.path.join(folder, "notes", "dangling"))


def revise(folder, *, pictures=PICTURES, seed=0):
    """Turn version 1 in ``folder`` into version 2: some of everything that can happen."""
    for number in range(pictures, pictures + 5):
        put(folder, f"images/{number % 4}/{number:04}.png", png(24, 24, seed + number))
    put(folder, "images/1/0001.png", png(24, 24, seed + 1000))
    os.remove(os.path.join(folder, "images/2/0002.png"))
    os.rename(os.path.join(folder, "audio"), os.path.join(folder, "sounds"))
    put(folder, "meta.json", json.dumps({"name": "shapes", "version": 2}, indent=1).encode())
    os.chmod(os.path.join(folder, "tools/convert.sh"), 0o644)
    os.chmod(os.path.join(folder, "empty"), 0o755)
    os.remove(os.path.join(folder, "cover.png"))
    os.symlink("images/1/0001.png", os.path.join(folder, "cover.png"))
    edit_row(os.path.join(folder, "labels.csv"), 1234, "moved by hand")


def put(folder, path, data, mode=0o644):
    """Write one file and the folders above it."""
    place = os.path.join(os.fsencode(folder), os.fsencode(path))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb") as file:
        file.write(data)
    os.chmod(place, mode)


def png(width, height, seed):
    """A true PNG of coloured noise over a gradient."""
    chance = random.Random(seed)
    lines = (
        b"\0" + bytes((x * 9 + y * 3 + chance.randrange(64)) & 255 for x in range(width * 3))
        for y in range(height)
    )
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*part) for part in parts)


def wav(seconds, seed):
    """A true WAV: 16 bit, mono, 8 kHz."""
    chance = random.Random(seed)
    count = int(seconds * 8000)
    data = struct.pack(f"<{count}h", *(chance.randrange(-900, 900) for _ in range(count)))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE")
    return head + form + struct.pack("<4sI", b"data", len(data)) + data


def table(rows, seed=0):
    """A CSV of so many rows, about 45 bytes each."""
    chance = random.Random(seed)
    words = ("square", "circle", "triangle", "hexagon")
    lines = ["id,path,label,score"]
    lines += [
        f"{row:08},images/{row % 4}/{row:04}.png,{chance.choice(words)},{chance.random():.6f}"
        for row in range(rows)
    ]
    return ("\n".join(lines) + "\n").encode()


def edit_row(path, row, label):
    """Change the label of one row of a table in place of the old one."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    cells = lines[row + 1].split(b",")
    cells[2] = label.encode()
    lines[row + 1] = b",".join(cells)
    with open(path, "wb") as file:
        file.write(b"\n".join(lines))


def noise(seed, size):
    """Bytes that nothing can compress."""
    return random.Random(seed).randbytes(size)


def snapshot(folder):
    """Path (bytes) -> ('link', target) or ('file', executable, content), for all but ``.ox``."""
    found = {}
    top = os.fsencode(folder)
    for here, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != b".ox"]
        for name in [*names, *(f for f in folders if os.path.islink(os.path.join(here, f)))]:
            place = os.path.join(here, name)
            path = os.path.relpath(place, top)
            if os.path.islink(place):
                found[path] = ("link", os.readlink(place))
                continue
            with open(place, "rb") as file:
                executable = bool(os.stat(place).st_mode & stat.S_IXUSR)
                found[path] = ("file", executable, file.read())
    return found


def _png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
