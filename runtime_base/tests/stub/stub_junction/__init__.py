"""The kernel of stub_junction, rendered by render.py."""
