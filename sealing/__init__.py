"""Secrets that lie encrypted in Git: sealed files and their keys, files encrypted with SOPS.

Owns the work on files and keys, with the tools' own programs. No plaintext is written to a disk, an
argument or a log: it goes from one program to the next through a pipe.
"""
