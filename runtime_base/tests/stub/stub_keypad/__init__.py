"""The kernel of stub_keypad, rendered by render.py."""
