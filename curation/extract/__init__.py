"""HTML bytes to Markdown text in which every formula is LaTeX between dollars."""
