"""The slow twin of the cuts: FastCDC 2020 in plain Python, one byte at a time.

Source of the algorithm: W. Xia et al., "The Design of Fast Content-Defined Chunking for Data
Deduplication Based Storage Systems", IEEE TPDS 31(9), 2020, doi 10.1109/TPDS.2020.2984632:
algorithm 1 with cut-point skipping (section 3.4) and normalised chunking (section 3.5).
"""

from functools import cache

from oxcore.chunk._params import LEVEL, ChunkParams

# Masks with n bits set, spread so that a window of 48 bytes has a say. Source: destor up to 17 bits
# and restic's FastCDC above, gathered in fastcdc-rs (src/v2020/mod.rs), whose cuts are ours.
_MASKS = {
    6: 0x0000000001803110,
    7: 0x0000000018035100,
    8: 0x0000001800035300,
    9: 0x0000019000353000,
    10: 0x0000590003530000,
    11: 0x0000D90003530000,
    12: 0x0000D90103530000,
    13: 0x0000D90303530000,
    14: 0x0000D90313530000,
    15: 0x0000D90F03530000,
    16: 0x0000D90303537000,
    17: 0x0000D90703537000,
    18: 0x0000D90707537000,
    19: 0x0000D91707537000,
    20: 0x0000D91747537000,
    21: 0x0000D91767537000,
    22: 0x0000D93767537000,
    23: 0x0000D93777537000,
    24: 0x0000D93777577000,
}

_WORD = (1 << 64) - 1


@cache
def _gear() -> tuple[int, ...]:
    """One random 64-bit number a byte value: the head of the MD5 of 64 equal bytes.

    The paper's authors published the table in destor (src/chunking/fascdc_chunking.c).
    """
    from hashlib import md5  # takes longer to load than the rest of the room

    heads = (md5(bytes([value]) * 64, usedforsecurity=False).digest()[:8] for value in range(256))
    return tuple(int.from_bytes(head, "big") for head in heads)


def cut_slow(data: bytes, params: ChunkParams) -> list[int]:
    """Give the end offsets of the chunks of `data`, as `cut` with `final` must: 10 MB/s or so."""
    ends, start = [], 0
    while start < len(data):
        start += _first_cut(data[start : start + params.maximum], params)
        ends.append(start)
    return ends


def _first_cut(piece: bytes, params: ChunkParams) -> int:
    """Give the length of the chunk at the start of `piece`, which holds the maximum at most.

    A cut falls before the byte that makes all bits under the mask zero. The paper rolls two bytes a
    step, so the last byte of a piece of odd length is never looked at; that is part of the format.
    """
    if len(piece) <= params.minimum:
        return len(piece)
    bits = params.mean.bit_length() - 1
    strict, lax = _MASKS[bits + LEVEL], _MASKS[bits - LEVEL]
    gear, fingerprint = _gear(), 0
    for at in range(params.minimum, len(piece) & ~1):
        fingerprint = ((fingerprint << 1) + gear[piece[at]]) & _WORD
        if not fingerprint & (strict if at < params.mean else lax):
            return at
    return len(piece)
