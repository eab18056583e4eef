"""The contracts of CONTRACTS.md as models."""
