"""Every schema that is published, as JSON Schema (draft 2020-12), made from its model: `rsppc schema`."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from rspp_compiler.ir import bundle_form, json_form
from rspp_compiler.ir.contracts.control_signal import ControlSignal
from rspp_compiler.ir.contracts.decision_outcome import DecisionOutcome
from rspp_compiler.ir.contracts.event import EventRecord
from rspp_compiler.ir.contracts.evidence import TurnEvidence
from rspp_compiler.ir.contracts.findings import Findings
from rspp_compiler.ir.contracts.turn_plan import ResolvedTurnPlan, TurnPlanTemplate
from rspp_compiler.ir.contracts.turn_transition import TurnTransition
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.spec import PipelineSpec
from rspp_compiler.source import Span

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SCHEMAS: dict[str, type[BaseModel]] = {
    json_form.SPEC: json_form.SpecForm,
    bundle_form.BUNDLE: bundle_form.BundleForm,
    bundle_form.POLICY: bundle_form.PolicyFile,
    bundle_form.PROFILE: bundle_form.ProfileFile,
    bundle_form.ROLLOUT: bundle_form.RolloutForm,
    "rspp.pipeline.effective.v1": PipelineSpec,
    "rspp.turn.plan.v1": ResolvedTurnPlan,
    "rspp.turn.plan.template.v1": TurnPlanTemplate,
    "rspp.event.v1": EventRecord,
    "rspp.control_signal.v1": ControlSignal,
    "rspp.decision_outcome.v1": DecisionOutcome,
    "rspp.turn_transition.v1": TurnTransition,
    "rspp.turn.evidence.v1": TurnEvidence,
    "rspp.findings.v1": Findings,
}
# Classes of the compiler that its dumps print as one text.
_TEXTS = {
    Span: "A place: `hello.rspp:3:1`.",
    Origin: "Where a value came from: a place, a line of the profile, or a reason.",
}


def schema(name: str) -> JsonSchemaValue:
    """The schema of that name. `KeyError` if there is none."""
    model = SCHEMAS[name]
    # The effective spec is printed field by field, with `null` where there is nothing; elsewhere that is left out.
    is_whole = model is PipelineSpec
    made = model.model_json_schema(schema_generator=_Generator, mode="serialization" if is_whole else "validation")
    body = _tidied({key: value for key, value in made.items() if key not in ("title", "description")}, is_whole)
    found = {"$schema": DIALECT, "$id": name, "title": name, "description": about(name), **body}
    if "Value" in found.get("$defs", {}):
        found["$defs"]["Value"]["description"] = _flowing(json_form.VALUE)
    return found


def about(name: str) -> str:
    """What a schema describes: the docstring of its model, which may go on in its file's."""
    return _flowing(inspect.getdoc(SCHEMAS[name]) or "")


class _Generator(GenerateJsonSchema):
    """Spans and origins are texts, as `ir/dump.py` prints them."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        if said := _TEXTS.get(schema["cls"]):
            return {"type": "string", "description": said}
        return super().dataclass_schema(schema)


# ---- tidying what pydantic makes


def _tidied(value: Any, has_null: bool, key: str = "") -> Any:
    """Without titles that only repeat a name; docstrings in one line. Unless it `has_null`, what has no value is not
    there, and cannot be `null`.
    """
    if isinstance(value, list):
        return [_tidied(item, has_null) for item in value]
    if not isinstance(value, dict):
        return value
    if key in ("properties", "$defs"):
        return {name: _tidied(item, has_null) for name, item in value.items()}
    found = _optional(value) if not has_null and value.get("default", 0) is None else dict(value)
    found.pop("title", None)
    if len(keys := found.pop("patternProperties", {})) == 1:
        (pattern, of_any), *_ = keys.items()
        found |= {"propertyNames": {"pattern": pattern}, "additionalProperties": of_any}
    if "description" in found:
        found["description"] = _flowing(found["description"])
    return {name: _tidied(item, has_null, name) for name, item in found.items()}


def _optional(value: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out: its `null` is only how pydantic says so."""
    found = {name: item for name, item in value.items() if name != "default"}
    choices = [one for one in found.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        del found["anyOf"]
        return {**choices[0], **found}
    return {**found, "anyOf": choices} if choices else found


def _flowing(text: str) -> str:
    """A docstring as one text: its lines flow, its paragraphs stay apart."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
