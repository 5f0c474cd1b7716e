"""Named steps between a CRM's value and ours, each with a declared inverse."""
