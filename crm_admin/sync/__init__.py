"""What to do, never doing it. Pure."""
