"""GPUs: what the driver tells, and who may use which."""
