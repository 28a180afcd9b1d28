"""Films: clips in and out, what holds frames together, styles that move, and how much a film flickers."""
