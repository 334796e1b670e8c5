"""What a version holds and how it drifted from another, counted at the cost of what is new.

``holdings`` counts one version, ``drifted`` compares two; files are told by name (``census``),
images by their headers (``pictures``), tables by their content (``tabulated``).
"""
