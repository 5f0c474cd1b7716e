"""Stand-ins for CRMs that speak their real wire format, for development, tests and the demo."""
