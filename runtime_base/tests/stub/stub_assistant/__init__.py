"""The kernel of stub_assistant, rendered by render.py."""
