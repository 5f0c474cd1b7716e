"""HTTP in, HTML out: the list of all doors."""

from flask import Flask


def register_blueprints(app: Flask) -> None:
    """Give the app its guards, its pages and its error pages."""
