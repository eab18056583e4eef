"""What the analyses prove: one file of result classes for each, every figure with its witness."""
