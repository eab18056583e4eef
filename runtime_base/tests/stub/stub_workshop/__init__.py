"""The kernel of stub_workshop, rendered by render.py."""
