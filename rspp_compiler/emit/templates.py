"""Renders a template of `templates/`. Views come flat and ready to print; an unknown name is an error, not a blank."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined


@functools.cache
def _environment() -> Environment:
    root = resources.files("rspp_compiler._templates")

    def load(name: str) -> str:
        return root.joinpath(name).read_text(encoding="utf-8")

    return Environment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: name is not None and name.endswith(".svg.j2"),
    )


def render_template(name: str, view: Mapping[str, object]) -> str:
    """The text of template `name`, such as `package/plan.py.j2`, with `\\n` at the end of its lines."""
    return _environment().get_template(name).render(view)
