"""A small bounded subset of JavaScript's arrow functions, evaluated by us in process."""
