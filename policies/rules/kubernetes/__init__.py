"""Rules on Kubernetes objects: RBAC, pods, and the operators that deliver secrets."""
