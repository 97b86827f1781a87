"""What verl's processes run for us: written into the run's folder as the package `octo_verl`, importable alone."""
