"""The kernel of stub_tollgate, rendered by render.py."""
