"""The macros of a page: where it defines them, and its formulas without them."""
