"""Projects created, started, steered and shown: what every surface stands on."""
