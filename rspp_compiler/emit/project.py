"""The files of a new project, from `templates/project/`."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, StrictUndefined

_FILES = {
    "{name}.rspp": "pipeline.rspp.j2",
    "dialogue.toml": "dialogue.toml.j2",
    "README.md": "README.md.j2",
}


def project_files(name: str) -> dict[str, str]:
    """Text by path, relative to the project's folder, for a project `name` in snake_case."""
    folder = resources.files("rspp_compiler._templates").joinpath("project")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, autoescape=False)
    view = {"name": name, "title": name.replace("_", " ").capitalize()}
    return {
        path.format(name=name): environment.from_string(folder.joinpath(file).read_text(encoding="utf-8")).render(view)
        for path, file in _FILES.items()
    }
