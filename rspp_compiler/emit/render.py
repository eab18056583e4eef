"""Plan to files, in memory. Same plan, same bytes: nothing here knows the time, the machine or the folder."""

from __future__ import annotations

from rspp_compiler.emit.kernel_view import kernel_files
from rspp_compiler.emit.manifest import NAME, manifest
from rspp_compiler.emit.package_view import package_view, readme_view, source_name
from rspp_compiler.emit.plan_view import plan_view
from rspp_compiler.emit.sourcemap import sourcemap
from rspp_compiler.emit.templates import render_template
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.files import Files
from rspp_compiler.ir.plan import Frozen

_GITIGNORE = "build/\ndist/\n*.so\n*.c\n*.egg-info/\n__pycache__/\n"


def render(frozen: Frozen, ctx: Context) -> Files:
    """Every file of the package, by its path relative to the package's folder."""
    plan = frozen.layout.plan
    name, source = plan.pipeline, source_name(frozen)
    view = package_view(frozen)
    inside = f"src/{name}"
    texts = {
        "pyproject.toml": render_template("package/pyproject.toml.j2", view),
        "setup.py": render_template("package/setup.py.j2", view),
        "README.md": render_template("package/README.md.j2", readme_view(frozen)),
        ".gitignore": _GITIGNORE,
        "deploy/Containerfile": render_template("container/Containerfile.j2", view),
        "tests/test_smoke.py": render_template("package/test_smoke.py.j2", view),
        f"{inside}/__init__.py": render_template("package/__init__.py.j2", view),
        f"{inside}/__main__.py": render_template("package/__main__.py.j2", view),
        f"{inside}/handlers.py": render_template("package/handlers.py.j2", view),
        f"{inside}/plan.py": render_template("package/plan.py.j2", plan_view(frozen, source)),
        f"{inside}/py.typed": "",
    }
    kernel = {f"{inside}/{path}": text for path, text in kernel_files(plan, source).items()}
    texts |= kernel
    mapped = {path: texts[path] for path in (f"{inside}/plan.py", *sorted(kernel))}
    texts[f"{inside}/sourcemap.json"] = sourcemap(source, mapped)
    contents = {path: text.encode("utf-8") for path, text in texts.items()}
    contents |= {f"{inside}/resources/{file.path}": file.data for file in frozen.resources}
    contents[NAME] = manifest(frozen, contents)
    return Files(name, plan.pipeline_version, {path: contents[path] for path in sorted(contents)}, frozen)
