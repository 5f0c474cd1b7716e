"""Measurements side by side with other tools: one JSON line per peer, never a test."""
