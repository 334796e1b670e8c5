"""Labelled records as files that trainers read: one format a module, all written the same way.

``samples`` are the records, ``folder`` is where they are written, ``formats`` knows the formats.
"""
