"""The stored data: what is needed, what is proved, what can be mended, what it costs.

``roots`` is where every walk over all data begins. ``prove`` and ``audit`` look, ``repair`` and
``relog`` mend (``verify``, ``fsck``); ``mark`` and ``packplan`` tell what may go, ``packindex`` and
``leftovers`` tidy (``gc``); ``usage`` counts bytes (``du``, ``info``).
"""
