"""HTTP to the world: transport, address guard, masking, breaker."""
