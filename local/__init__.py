"""The one-machine environment: tools, node, images and services. Nothing but its own command and
the end-to-end tests imports it."""
