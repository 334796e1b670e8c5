"""What differs inside one file: rows of a table, lines of text, pixels of an image, else chunks.

``details`` chooses how, and compares the two ``sides``, of the store or of the work tree;
``tablediff`` does it by rows, ``lines`` by lines; ``pair`` takes any two files that are named.
"""
