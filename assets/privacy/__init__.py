"""Who may not be found: the identifier gate and disclosure control."""
