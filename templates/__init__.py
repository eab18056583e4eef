"""The templates of what the compiler generates."""
