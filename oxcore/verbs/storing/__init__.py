"""Bytes into the store: files of the work tree, and streams.

``Ingest`` takes what a survey found: small files by the hundred (``intake``), with helper processes
where there are many (``crew``, ``helper``), large ones in a stream cut by content (``large``,
``deposit``, ``line``). Nothing here knows what the files are for: verbs stage what comes back.
"""
