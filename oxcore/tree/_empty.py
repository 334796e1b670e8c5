"""The tree without a file, which the first stage of every repository is."""

from __future__ import annotations

EMPTY = bytes.fromhex("582a3ac9d09089be98ea68e5f56738acd9ae10c728e8193ebaa6b0eb56e61048")
"""The id of a leaf without entries; written down, since to work it out loads the codec."""
