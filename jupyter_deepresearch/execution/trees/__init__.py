"""What a run's working tree is made of: code copied, all else linked."""
