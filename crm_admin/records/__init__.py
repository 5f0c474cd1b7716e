"""What a record is: kinds, values, identity. Pure."""
