"""The sealed log: entry bytes, the tree over them, and the databases that keep both."""
