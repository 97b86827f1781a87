"""Formulas in the text of a page: between delimiters, in backticks, and in runs of italics and scripts."""
