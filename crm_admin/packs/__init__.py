"""What a vertical declares: kinds, default mappings, wording."""
