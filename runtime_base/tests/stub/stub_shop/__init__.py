"""The kernel of stub_shop, rendered by render.py."""
