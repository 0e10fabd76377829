"""Secret scanning: three scanners and our own rules over one snapshot, as one report.

Owns what is scanned, how the scanners are run, which of their findings are the same secret, and
which a reviewer has accepted. Knows nothing of the platform's stacks, and of no network.
"""
