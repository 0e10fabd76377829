"""What a reviewer of a change reads: the preview in words, and what differs between environments.

Knows the engine's events and the settings; starts nothing and asks nobody.
"""
