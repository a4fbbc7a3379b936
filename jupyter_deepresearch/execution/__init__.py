"""The parts that run a notebook: runner, kernel set-up, launchers, readers of what it prints."""
