"""Read-only questions of the pages: one module per page, each answer a frozen dataclass made for
it."""
