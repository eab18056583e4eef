"""The kernel of stub_typist, rendered by render.py."""
