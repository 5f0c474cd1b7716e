"""HubSpot: facts, calls and shapes."""
