"""The kernel of stub_sorter, rendered by render.py."""
