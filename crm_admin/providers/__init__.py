"""CRMs out there: facts in spec.py, calls in client.py, shapes in payloads.py."""
