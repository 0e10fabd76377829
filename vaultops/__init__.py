"""Operating Vault: bootstrap, custody, unseal, snapshots, upgrade, certificates. No Pulumi here.

Works on a running cluster through its API and kubectl. What exists in the cluster is decided by
`components`; this package brings it to life and keeps it alive.
"""
