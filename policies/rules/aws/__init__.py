"""Rules on AWS: IAM, trust, KMS and Secrets Manager."""
