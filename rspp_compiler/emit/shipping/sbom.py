"""The list of what an image holds over its base, in CycloneDX 1.6 (JSON).

The same wheels give the same bytes: the serial number is made of the content, and no moment is named. What the base
image holds is not listed, nor what a wheel bundles, but for a list of its own that it brings: `compositions` says so.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from packaging.utils import canonicalize_name

from rspp_compiler import __version__
from rspp_compiler.emit.shipping.wheels import Wheel
from rspp_compiler.ir.abi import ABI_HASH
from rspp_compiler.ir.plan import Frozen

_SPACE = uuid.UUID("5f3d6f0e-6f0b-5d0a-9c3e-0d6a5f2b7c11")  # of the serial numbers that are made here; any fixed one


def sbom(frozen: Frozen, wheels: tuple[Wheel, ...]) -> bytes:
    """The SBOM of an image with these wheels."""
    plan = frozen.layout.plan
    image = f"{plan.pipeline}@{plan.pipeline_version}"
    names = {wheel.name: wheel for wheel in wheels}
    own = canonicalize_name(plan.pipeline)
    value: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "rspp-compiler", "version": __version__}]},
            "component": {
                "type": "container",
                "bom-ref": image,
                "name": plan.pipeline,
                "version": plan.pipeline_version,
            },
            "properties": [
                {"name": "rspp:abi-hash", "value": ABI_HASH},
                {"name": "rspp:profile", "value": plan.profile},
                {"name": "rspp:template-hash", "value": plan.template_hash},
            ],
        },
        "components": [_component(wheel, frozen if wheel.name == own else None) for wheel in wheels],
        "dependencies": [
            {"ref": image, "dependsOn": sorted(_ref(wheel) for wheel in wheels)},
            *(
                {"ref": _ref(wheel), "dependsOn": [_ref(names[name]) for name in wheel.requires if name in names]}
                for wheel in wheels
            ),
        ],
        "compositions": [{"aggregate": "incomplete", "assemblies": [image]}],
    }
    content = json.dumps(value, sort_keys=True).encode("utf-8")
    value["serialNumber"] = f"urn:uuid:{uuid.uuid5(_SPACE, hashlib.sha256(content).hexdigest())}"
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _ref(wheel: Wheel) -> str:
    return f"pkg:pypi/{wheel.name}@{wheel.version}"


def _component(wheel: Wheel, frozen: Frozen | None) -> dict[str, Any]:
    """One wheel; that of the pipeline with the files that it was compiled from, such as a dialogue."""
    value: dict[str, Any] = {
        "type": "library" if frozen is None else "application",
        "bom-ref": _ref(wheel),
        "name": wheel.name,
        "version": wheel.version,
        "hashes": [{"alg": "SHA-256", "content": wheel.sha256}],
        "purl": _ref(wheel),
    }
    if wheel.summary:
        value["description"] = wheel.summary
    if wheel.expression:
        value["licenses"] = [{"expression": wheel.expression}]
    elif wheel.licence:
        value["licenses"] = [{"license": {"name": wheel.licence}}]
    if wheel.sboms:
        value["externalReferences"] = [{"type": "bom", "url": path} for path in wheel.sboms]
    if frozen is not None and frozen.resources:
        value["components"] = [
            {"type": "file", "name": file.path, "hashes": [{"alg": "SHA-256", "content": file.sha256}]}
            for file in sorted(frozen.resources, key=lambda one: one.path)
        ]
    return value
