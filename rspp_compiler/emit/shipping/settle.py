"""Takes out of an image what differs from build to build though its content is the same.

podman and buildah write the name of a container that is long gone into an image of docker's format, and the ids of
images in between, which depend on it. Layers stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from rspp_compiler.emit.toolchain import ToolError, run


def settle(tool: str, tag: str) -> None:
    """Puts an image in place of the one that `tag` names: the same, without what the build left in its description.

    `tool` is podman or buildah. Raises `ToolError` E0708.
    """
    failed = f"{tool} cannot write the image {tag} anew"
    with tempfile.TemporaryDirectory(prefix="rsppc-image-") as name:
        folder = Path(name)
        run([tool, "push", "-q", tag, f"dir:{folder}"], folder, "E0708", failed)
        _settle_folder(folder)
        made = run([tool, "pull", "-q", f"dir:{folder}"], folder, "E0708", failed).split()[-1]
        run([tool, "tag", made, tag], folder, "E0708", failed)


def _settle_folder(folder: Path) -> None:
    """Changes the description of an image in the layout of `dir:`: a file for each part, by its digest."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        old = folder / manifest["config"]["digest"].removeprefix("sha256:")
        config = json.loads(old.read_bytes())
    except (OSError, ValueError, KeyError) as error:
        raise ToolError("E0708", "the image that was built has no description", [repr(error)]) from error
    data = json.dumps(_settled(config), sort_keys=True).encode("utf-8")
    digest = hashlib.sha256(data).hexdigest()
    old.unlink()
    (folder / digest).write_bytes(data)
    manifest["config"] |= {"digest": f"sha256:{digest}", "size": len(data)}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def _settled(config: dict[str, Any]) -> dict[str, Any]:
    left_out = ("container", "container_config", "parent")
    value = {key: item for key, item in config.items() if key not in left_out}
    value["config"] = {key: item for key, item in config["config"].items() if key != "Hostname"}
    value["history"] = [
        {key: item for key, item in one.items() if key != "comment"} for one in config.get("history", [])
    ]
    return value
