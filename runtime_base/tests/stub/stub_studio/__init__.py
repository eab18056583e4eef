"""The kernel of stub_studio, rendered by render.py."""
