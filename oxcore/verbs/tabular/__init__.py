"""The verbs on tables, and what they share: rows and cells of a repository's table files.

``df`` opens a table of any version, ``edit`` changes one, ``sql`` asks several; ``schema``,
``kept`` and ``leaving`` are about what people hold of a table; ``blame``, ``blametable`` and
``rowlog`` follow rows back through history (``trail``); ``rowmerging``, ``conflicts`` and
``settle`` merge by rows. How the bytes of a table are read is told by the room ``oxcore.tables``.
"""
