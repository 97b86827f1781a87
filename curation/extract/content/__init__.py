"""The main content of a page whose formulas are tokens, and its Markdown."""
