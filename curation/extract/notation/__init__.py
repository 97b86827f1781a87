"""Mathematics without TeX, made LaTeX: one file for each notation that pages write or leave behind."""
