"""Where time goes, as a flame graph: `sampler` looks at a run, `picture` draws what it saw, the command does both."""
