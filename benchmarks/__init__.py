"""Side-by-side measurements on the local environment; each prints what it measured."""
