"""What the audit logs of Vault, CloudTrail and Kubernetes tell: who read what, who was refused.

Owns reading logs into one table of events and what is asked of it. Imports `access` and no Pulumi;
it asks no live system anything, and no hashed or plain value of a secret enters its tables.
"""
