"""The kernel of stub_patience, rendered by render.py."""
