"""A package as a service: many people talk to it at once (docs/serving.md)."""
