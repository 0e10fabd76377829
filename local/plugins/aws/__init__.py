"""A stand-in for Pulumi's AWS plugin: what the project deploys there, and no more.

KMS, IAM, S3, Secrets Manager, Lambda and CloudWatch Logs.

It talks to an AWS stand-in on this machine or a private network, and refuses everything else.
What it does not offer: regions per resource, name prefixes, replicas, custom key stores, inline
settings of buckets. A user's name or path changes by replacement.
"""
