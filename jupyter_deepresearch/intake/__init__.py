"""What is read of a person's own code before it is a project: options, roles, metric; and what is made of it."""
