"""The JSON form of a program, `rspp.pipeline.spec.v1`, field by field: what `rsppc schema` publishes.

Everything of the language has its field. What stands between braces in a `.rspp` stands under `settings`. Names, flows'
ends, kinds, types and conditions are texts in the language's own notation. Lines of different sorts may stand in any
order in a `.rspp`, so each sort has its list here; within a list the order is kept.

    { "node_id": "ears", "kind": "vad", "settings": { "min_speech": "96ms" } }  node ears : vad { min_speech = 96ms }
    { "from": "stt", "to": "llm", "when": "event.words > 2" }                   stt -> llm when event.words > 2
    { "on": ["ears.barge_in"], "action": "cancel turn" }                        on ears.barge_in -> cancel turn

How a setting's value is written is said by `Value`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

SPEC = "rspp.pipeline.spec.v1"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
REF = rf"{NAME}(\.{NAME})*"
# Settings whose value is a text: there, and everywhere in `meta`, a JSON text is taken as it stands.
TEXT_KEYS = frozenset(
    {"about", "endpoint", "file", "language", "model", "region", "script", "system", "text", "to", "until", "voice"}
)

Name = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]
Ref = Annotated[str, StringConstraints(pattern=rf"^{REF}$")]
Action = Annotated[str, StringConstraints(pattern=rf"^{NAME} {REF}$")]
Key = Annotated[str, StringConstraints(pattern=rf"^{REF}( -> {REF})*$")]
Profile = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*/v\d+$")]
Modality = Literal["stt", "llm", "tts", "external"]

Value = TypeAliasType("Value", "bool | int | float | str | list[Value] | dict[str, Value]")
VALUE = """The value of a setting.

A number is a bare number, `true` a flag, `false` the flag switched off, an array a list, an object a block of settings.
A text is a quantity, a symbol or a call where it reads as one, such as `"300ms"`, `"64 items"`, `"drop_oldest"`,
`"block(40ms)"`; else it is a text. It always is one in `meta`, and in settings that take a text, such as `system`.

An object with one of these keys alone says what it is: `{"text": "en"}` a text; `{"value": "drop_oldest"}` a value in
the language's notation; `{"file": "prompts/a.md"}` and `{"secret": "env://KEY"}` a file and a secret;
`{"settings": {…}}` a block that would look like one of these.
"""

Settings = TypeAliasType("Settings", dict[Key, Value])


class Form(BaseModel):
    """A part of a document. Fields that it does not have are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def contradicts(field: str, message: str, meant: str = "") -> PydanticCustomError:
    """What a validator raises: `field` should not be there, or not be so but `meant`."""
    return PydanticCustomError("contradicts", "{message}", {"field": field, "message": message, "meant": meant})


class Guarded(Form):
    """Something that happens only when a condition holds."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["when", "otherwise"]}})

    when: str | None = Field(None, description='A condition: `event.language == "de"`.')
    otherwise: Literal[True] | None = Field(None, description="When no guard of a sibling held.")

    @model_validator(mode="after")
    def _one_guard(self) -> Self:
        if self.when is not None and self.otherwise:
            raise contradicts("otherwise", "there is `when` already: a guard is one of the two")
        return self


# ---- inside a pipeline ----------------------------------------------------------------------------------------------


class PortForm(Form):
    """An input or output of a custom node, a module or a tool."""

    name: Name
    type: str = Field(description="`text`, `audio(16kHz, mono, s16le)`, `text(PII, 2kB)`.")


class NodeForm(Form):
    """One node. Without a kind, its name is the kind."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"implementation": ["kind"]}})

    node_id: Name
    kind: str | None = Field(None, description="`tts`, `python`, or the name of a module.")
    implementation: str | None = Field(
        None, description="What a custom node runs: `module:callable`, a file, a target."
    )
    modality: Modality | None = Field(None, description="What sort of provider performs it; it follows from the kind.")
    inputs: list[PortForm] | None = None
    outputs: list[PortForm] | None = None
    settings: Settings | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.implementation is not None and self.kind is None:
            raise contradicts("implementation", "a node that runs something says its kind: `python`, `grpc` or `wasm`")
        modality = modality_of(self.kind or self.node_id)
        if self.modality is not None and self.modality != modality:
            message = f"the modality of `{self.kind or self.node_id}` is `{modality}`"
            raise contradicts("modality", message, modality)
        return self


def modality_of(kind: str) -> Modality:
    """What sort of provider performs a node of that kind (CONTRACTS §8)."""
    return kind if kind in ("stt", "llm", "tts") else "external"  # type: ignore[return-value]


class HopForm(Guarded):
    """One arrow, and where it leads: `-> voice.text when … { … }`."""

    to: Ref
    settings: Settings | None = None


class EdgeForm(HopForm):
    """One flow. `then` goes on where it ended: `a -> b -> c` is from a to b, then to c."""

    from_: Ref = Field(alias="from")
    then: list[HopForm] = []


class ReactionForm(Guarded):
    """What happens at an event: a path that begins at a node, or an action such as `cancel turn`."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {"required": ["when", "otherwise"]},
            "oneOf": [{"required": ["path"]}, {"required": ["action"]}],
        }
    )

    on: Annotated[list[Ref], Field(min_length=1, description="Events. A bare one keeps the subject to its left.")]
    path: Annotated[list[HopForm], Field(min_length=1)] | None = None
    action: Action | None = Field(None, description="A verb and its object.")

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.path is not None and self.action is not None:
            raise contradicts("action", "there is a `path` already: a reaction is one of the two")
        if self.path is None and self.action is None:
            raise contradicts("", "a reaction has a `path` or an `action`")
        return self


class ModeForm(Form):
    """A variant of the pipeline: `off` lists nodes, dotted keys change settings of others."""

    mode_id: Name
    settings: Settings = {}


class PartyForm(Form):
    """Someone, or several at once, who speaks and is spoken to."""

    party_id: Name
    settings: Settings | None = None


class RecordForm(Form):
    """How much is recorded, how long it is kept, and where."""

    recording_level: Name = Field(description="`L0`, `L1` or `L2`.")
    settings: Settings | None = None


class Body(Form):
    """What a pipeline and a module have in common."""

    execution_profile: Profile | None = Field(None, description="`simple/v1`.")
    meta: Settings | None = Field(None, description="Never changes execution, nor any hash. A text is a text here.")
    record: RecordForm | None = None
    parties: list[PartyForm] = []
    nodes: list[NodeForm] = []
    edges: list[EdgeForm] = []
    reactions: list[ReactionForm] = []
    modes: list[ModeForm] = []
    budget: Settings | None = Field(
        None, description="Keys are `turn`, `turn.total`, `turn.pause`, `turn.apology`, a node, a path `a.b -> c.d`."
    )


# ---- top level ------------------------------------------------------------------------------------------------------


class ImportForm(Form):
    """Modules, tools, pools and policies of another file, which may be a `.rspp` or a `.json`."""

    names: Annotated[list[Name], Field(min_length=1)]
    from_: str = Field(alias="from", description="A path relative to the folder of this file.")
    version: str | None = None


class ModuleForm(Body):
    """A part of a pipeline with ports and a version."""

    module_id: Name
    module_version: str | None = None
    inputs: list[PortForm]
    outputs: list[PortForm] = []


class ToolForm(Form):
    """Something that a model may call, and a reaction."""

    tool_id: Name
    kind: str
    implementation: str | None = None
    inputs: list[PortForm] | None = None
    outputs: list[PortForm] | None = None
    settings: Settings | None = None


class CandidateForm(Guarded):
    """One `use` line of a provider block."""

    provider: Name
    settings: Settings | None = None


class ProviderForm(Form):
    """Who performs the nodes of a kind, in order of preference; with a `kind` of its own, a named pool."""

    provider_id: Name
    kind: str | None = None
    candidates: list[CandidateForm] = []
    settings: Settings = {}


class InsertForm(Form):
    """A node of the policy, put in front of an input."""

    node_id: Name
    before: Ref


class PolicyForm(Form):
    """What is different for some sessions. The first policy whose condition holds applies."""

    policy_id: Name
    when: str = Field(description='A condition: `session.tenant == "clinic"`.')
    nodes: list[NodeForm] = []
    inserts: list[InsertForm] = []
    providers: list[ProviderForm] = []
    record: RecordForm | None = None


_OF_A_PIPELINE = ("pipeline_version", "graph_definition_ref", *Body.model_fields)


class SpecForm(Body):
    """A program: one pipeline with modules, tools, providers and policies around it; or these alone, as a library."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {name: ["spec_id"] for name in _OF_A_PIPELINE}})

    schema_version: Literal["rspp.pipeline.spec.v1"]
    spec_id: Name | None = Field(None, description="The pipeline's name; a library has none.")
    pipeline_version: str | None = None
    graph_definition_ref: str | None = Field(None, description="`SPEC_ID/PIPELINE_VERSION`, as plans name it.")
    imports: list[ImportForm] = []
    modules: list[ModuleForm] = []
    tools: list[ToolForm] = []
    providers: list[ProviderForm] = []
    policies: list[PolicyForm] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.spec_id is None:
            if stray := next((name for name in _OF_A_PIPELINE if name in self.model_fields_set), ""):
                raise contradicts(stray, "it belongs to a pipeline, and there is no `spec_id` that names one")
        elif self.graph_definition_ref not in (None, graph_ref(self.spec_id, self.pipeline_version)):
            meant = graph_ref(self.spec_id, self.pipeline_version)
            raise contradicts("graph_definition_ref", f"the graph of this pipeline is `{meant}`", meant)
        return self


def graph_ref(name: str, version: str | None) -> str:
    """How a plan names the graph of a pipeline (CONTRACTS §6)."""
    return f"{name}/{version or '0.0.0'}"


def documents() -> dict[str, type[Form]]:
    """Every document that a `.json` may be, by its `schema_version`."""
    from rspp_compiler.ir.bundle_form import BundleForm, PolicyFile, ProfileFile, RolloutForm

    forms: tuple[type[Form], ...] = (SpecForm, BundleForm, PolicyFile, ProfileFile, RolloutForm)
    return {_version(form): form for form in forms}


def _version(form: type[Form]) -> str:
    known: Any = form.model_fields["schema_version"].annotation
    version: str = known.__args__[0]
    return version
