"""HubSpot as far as its programming interface shows it, written from its public description."""
