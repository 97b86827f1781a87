"""How well an extractor brings formulas back, without any renderer at hand."""
