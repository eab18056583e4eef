"""The kernel of stub_attendant, rendered by render.py."""
