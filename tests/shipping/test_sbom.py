"""The list of what an image holds: valid CycloneDX, whole, and the same for the same wheels."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pipelines import compile_file, shipped, value
from rspp_compiler.emit.shipping.sbom import sbom
from rspp_compiler.emit.shipping.wheels import Wheel, read_wheels
from rspp_compiler.emit.toolchain import ToolError
from rspp_compiler.ir.plan import Frozen


def wheel(folder: Path, name: str, *lines: str, version: str = "1.0", files: dict[str, str] | None = None) -> Path:
    """A wheel with METADATA and nothing else."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    inside = f"{name}-{version}.dist-info"
    metadata = "\n".join(("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, "", "Long text."))
    with zipfile.ZipFile(path, "w") as archive:
        for at, text in {f"{inside}/METADATA": metadata, **(files or {})}.items():
            archive.writestr(zipfile.ZipInfo(at), text)
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    wheel(tmp_path, "voice_assistant", "Requires-Dist: rspp-runtime[local]>=0.1", "License-Expression: Apache-2.0")
    wheel(
        tmp_path, "rspp_runtime", "Requires-Dist: Msgpack>=1", 'Requires-Dist: numpy; extra == "local"',
        'Requires-Dist: uvicorn; extra == "serve"', 'Requires-Dist: sphinx; extra == "docs"',
        'Requires-Dist: colorama; sys_platform == "win32"', "Classifier: License :: OSI Approved :: MIT License",
    )  # fmt: skip
    wheel(tmp_path, "msgpack", "License: Apache 2.0", "Summary: Packs messages.")
    listed = {"numpy-1.0.dist-info/sboms/auditwheel.cdx.json": "{}"}
    wheel(tmp_path, "numpy", "License: " + "A long text. " * 20, files=listed)
    wheel(tmp_path, "uvicorn", "Requires-Dist: not a requirement!!")
    return tmp_path


def listed(folder: Path) -> dict[str, Any]:
    frozen: Frozen = value(compile_file(shipped("voice_assistant")), "freeze")
    found: dict[str, Any] = json.loads(sbom(frozen, read_wheels(folder, [("rspp-runtime", "serve")])))
    return found


def by_name(folder: Path) -> dict[str, Wheel]:
    return {one.name: one for one in read_wheels(folder, [("rspp-runtime", "serve")])}


def test_it_is_what_the_standard_says(shelf: Path) -> None:
    text = json.dumps(listed(shelf))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    wrong = text.replace('"SHA-256"', '"SHA-25"')
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(wrong) is not None


def test_every_wheel_is_in_it_with_its_hash(shelf: Path) -> None:
    found = {one["name"]: one for one in listed(shelf)["components"]}
    assert set(found) == {"msgpack", "numpy", "rspp-runtime", "uvicorn", "voice-assistant"}
    for path in shelf.glob("*.whl"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = path.name.split("-")[0].replace("_", "-")
        assert found[name]["hashes"] == [{"alg": "SHA-256", "content": digest}]
        assert found[name]["purl"] == f"pkg:pypi/{name}@1.0"


def test_who_needs_whom_with_the_extras_that_are_there(shelf: Path) -> None:
    found = {one["ref"]: one["dependsOn"] for one in listed(shelf)["dependencies"]}
    runtime = [f"pkg:pypi/{name}@1.0" for name in ("msgpack", "numpy", "uvicorn")]
    assert found["pkg:pypi/rspp-runtime@1.0"] == runtime
    assert found["pkg:pypi/voice-assistant@1.0"] == ["pkg:pypi/rspp-runtime@1.0"]
    assert len(found["voice_assistant@1.0.0"]) == 5
    assert by_name(shelf)["rspp-runtime"].requires == ("msgpack", "numpy", "uvicorn"), "no docs, no Windows"


def test_licences_by_expression_by_classifier_by_name_never_by_text(shelf: Path) -> None:
    found = {one["name"]: one.get("licenses") for one in listed(shelf)["components"]}
    assert found["voice-assistant"] == [{"expression": "Apache-2.0"}]
    assert found["rspp-runtime"] == [{"license": {"name": "MIT License"}}]
    assert found["msgpack"] == [{"license": {"name": "Apache 2.0"}}]
    assert found["numpy"] is None


def test_the_pipelines_files_and_a_wheels_own_list_are_named(shelf: Path) -> None:
    found = {one["name"]: one for one in listed(shelf)["components"]}
    (dialogue,) = found["voice-assistant"]["components"]
    assert dialogue["name"].endswith("greeter.toml")
    assert found["numpy"]["externalReferences"][0]["type"] == "bom"


def test_it_names_the_pipeline_and_no_moment(shelf: Path) -> None:
    found = listed(shelf)
    frozen: Frozen = value(compile_file(shipped("voice_assistant")), "freeze")
    properties = {one["name"]: one["value"] for one in found["metadata"]["properties"]}
    assert properties["rspp:template-hash"] == frozen.layout.plan.template_hash
    assert "timestamp" not in found["metadata"]


def test_the_same_wheels_give_the_same_list_and_others_another(shelf: Path) -> None:
    first = listed(shelf)
    assert listed(shelf) == first
    wheel(shelf, "msgpack", "License: Apache 2.0", version="1.1")
    (shelf / "msgpack-1.0-py3-none-any.whl").unlink()
    assert listed(shelf)["serialNumber"] != first["serialNumber"]


def test_what_is_no_wheel_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"not a zip archive")
    with pytest.raises(ToolError, match=r"`broken-1.0-py3-none-any.whl` is not a wheel") as raised:
        read_wheels(tmp_path)
    assert raised.value.code == "E0708"
