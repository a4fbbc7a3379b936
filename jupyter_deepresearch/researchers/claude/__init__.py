"""Claude as the researcher: a leader that thinks and reflects, and three workers."""
