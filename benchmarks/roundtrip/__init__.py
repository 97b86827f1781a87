"""Known formulas written in every markup of the web, and the measurement of who gets them back."""
