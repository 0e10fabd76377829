"""Rules on Google Cloud: keys, secrets and workload identity."""
