"""The kernel of stub_switchboard, rendered by render.py."""
