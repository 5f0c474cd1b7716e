"""Secrets, passwords, signed tokens, the permission table and the check of local addresses."""
