"""Rules on what Vault is told: policies, roles, engines, audit devices, and its own server."""
