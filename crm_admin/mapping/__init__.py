"""Pure translation between a CRM's values and ours."""
