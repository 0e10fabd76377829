"""What the local environment runs beside the cluster: a real PostgreSQL and a stand-in for AWS."""
