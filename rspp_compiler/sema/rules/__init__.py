"""The rules of `check`: each a function that looks at the whole graph and reports all that breaks it."""
