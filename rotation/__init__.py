"""Rotation of PostgreSQL passwords without a refused login: two users that take turns.

Pure Python with no import of the rest of the project, because `archive` ships this package as the
rotation function of AWS Secrets Manager.
"""
