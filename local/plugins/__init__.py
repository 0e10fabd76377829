"""Stand-ins for provider plugins that no Go module publishes. For the local environment only.

They serve machines that cannot download the official plugins, know just the resource types that
the program uses, and are never chosen where the official plugin is installed.
"""
