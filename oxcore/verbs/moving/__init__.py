"""The work tree from one tree to another, with no unsaved work hurt.

``update`` moves: it has a plan made (``plan``, ``room``, in the columns of ``steps``), writes down
the ``intent``, has the files written (``writeout``, with helper processes: ``share``, ``sharer``)
and logs the operation. What a move that died left half done, ``intent.recover`` puts back
(``putback``). ``place`` puts a few files in place in the same way.
"""
