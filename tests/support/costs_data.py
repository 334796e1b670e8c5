"""The files that the tests of costs count with; the same bytes in every run."""

import time

from blake3 import blake3

FILES, FOLDERS = 20_000, 20
LARGE = 16 << 20
HUNDRED = len(range(0, FILES, FILES // 100 + 1))  # files changed in the third commit, all over
SIZE = 60  # bytes of a file: incompressible, and small, for it is nodes and calls that count


def settle():
    """Wait until no file is so young that it has to be looked at twice."""
    time.sleep(0.05)


def noise(seed, size):
    """Bytes that nothing can compress, the same in every run: cuts and nodes depend on them."""
    return blake3(seed.encode()).digest(length=size)


def content(number, version=1):
    return noise(f"{number}/{version}", SIZE)
