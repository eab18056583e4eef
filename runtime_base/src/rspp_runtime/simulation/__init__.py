"""The simulator: it plays the world around a session, in virtual time, and tries to break it (`docs/simulation.md`)."""
