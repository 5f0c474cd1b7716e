"""The demo organisation: invented records, here and in the simulated CRM."""
