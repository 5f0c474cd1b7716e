"""Crash schedules: real processes are killed and frozen while both sides are edited."""
