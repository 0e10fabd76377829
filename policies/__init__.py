"""The CrossGuard policy pack: least privilege for Vault, Kubernetes and cloud secrets."""
