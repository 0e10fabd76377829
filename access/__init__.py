"""Who may read what: pure logic over grants, Vault policies, Kubernetes RBAC and IAM. No Pulumi."""
