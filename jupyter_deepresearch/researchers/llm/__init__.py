"""Language models: one shape of request and reply, whoever answers it."""
