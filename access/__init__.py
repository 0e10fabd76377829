"""Who may read what: pure logic over Vault policies and grants. Imports no Pulumi."""
