"""Who proposes: ``sweep`` (Optuna, offline). A researcher never launches, measures, judges or stores."""
