"""The `strongroom` command: what people and pipelines do with a running platform.

Owns arguments, prompts, tables and exit statuses. What is done is decided by `vaultops` and
`access`.
"""
