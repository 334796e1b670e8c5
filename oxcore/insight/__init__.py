"""Insight: what went wrong on a branch of captured records, in figures, and the data to mend it.

Records and feedback (docs/design/008-capture.md) become one table of examples (``examples``), which
``metrics`` counts and ``report`` tells of, by ``slices``. Slices are files of the repository.
"""
