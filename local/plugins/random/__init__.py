"""A stand-in for Pulumi's random plugin: the same inputs, outputs and replacement rules.

Randomness comes from the operating system. `bcryptHash` of a password is not offered.
"""
