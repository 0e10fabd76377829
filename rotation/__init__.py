"""Rotation: credentials are replaced while programs use them, and no login is refused.

`alternation` and `four_steps` are the core, in pure Python, which `archive` ships as the rotation
function of AWS Secrets Manager.
"""
