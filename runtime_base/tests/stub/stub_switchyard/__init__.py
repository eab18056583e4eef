"""The kernel of stub_switchyard, rendered by render.py."""
