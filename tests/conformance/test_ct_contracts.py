"""CT: every rule of CONTRACTS §2 to §6 is kept by a valid sample and broken, alone, by an invalid one.

The rules are those of the models: their published schemas, read as rules with names (`rspp_runtime.contracts.rules`).
An invalid sample is called after the rule that it breaks, `RULE.json`, or `RULE~what.json` where several break it. That
a value has the right type is a rule of each field too; those are tried here, one wrong type after the other.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rspp_compiler.ir.contracts.rules import ORDERED, Contract
from rspp_compiler.ir.schemas import SCHEMAS, schema
from rspp_runtime.contracts.rules import Rules
from rspp_runtime.contracts.validation import ARTIFACTS, contract, validate

FOLDER = Path(__file__).parent / "contracts"
Where = tuple[str | int, ...]


def samples(kind: str, artifact: str = "*") -> list[Path]:
    return sorted(FOLDER.glob(f"{artifact}/{kind}/*.json"))


def params(kind: str) -> list[Any]:
    return [pytest.param(path, id=f"{path.parts[-3]}/{path.stem}") for path in samples(kind)]


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def model(artifact: str) -> type[Contract]:
    found = SCHEMAS[ARTIFACTS[artifact]]
    assert issubclass(found, Contract)
    return found


@cache
def standard(artifact: str) -> Draft202012Validator:
    """Somebody else's reader of the published schema."""
    return Draft202012Validator(schema(ARTIFACTS[artifact]))


def places(value: Any, path: Where = ()) -> Iterator[Where]:
    """Every place in some data, the whole first."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from places(part, (*path, key))


def changed(data: Any, path: Where, value: Any) -> Any:
    """A copy with something else at `path`."""
    if not path:
        return value
    whole = copy.deepcopy(data)
    part = whole
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return whole


# ---- the samples


def test_the_command_finds_every_sample_as_it_is_said_to_be() -> None:
    found, passed_over = validate(FOLDER)
    assert passed_over == []
    assert {sample.artifact for sample in found} == set(ARTIFACTS)
    assert [sample.file for sample in found if not sample.is_as_expected] == []
    assert len(found) == len(samples("valid")) + len(samples("invalid"))


@pytest.mark.parametrize("path", params("valid"))
def test_what_is_right_is_taken(path: Path) -> None:
    artifact, data = path.parts[-3], load(path)
    assert contract(artifact).check(data).problems == []
    assert model(artifact).problems(data) == []
    assert [error.message for error in standard(artifact).iter_errors(data)] == []


@pytest.mark.parametrize("path", params("invalid"))
def test_what_is_wrong_is_refused_for_the_rule_that_it_is_called_after(path: Path) -> None:
    artifact, data, rule = path.parts[-3], load(path), path.stem.partition("~")[0]
    (problem,) = contract(artifact).check(data).problems
    assert problem.rule == rule
    (said,) = model(artifact).problems(data)
    assert said[0].removesuffix(".[key]") == problem.field
    if "`" in said[1]:  # a rule between fields: both say it in the same words
        assert said[1] == problem.message
    assert standard(artifact).is_valid(data) == rule.endswith("__ordered"), "the schema says it to others as well"


# ---- nothing is left out


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_every_rule_is_broken_by_a_sample(artifact: str) -> None:
    rules = {name for name in contract(artifact).names if not name.endswith("__type")}
    broken = {path.stem.partition("~")[0] for path in samples("invalid", artifact)}
    assert rules - broken == set(), "add a sample of this name that breaks this rule and no other"


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_every_rule_is_kept_by_a_sample(artifact: str) -> None:
    kept = set().union(*(contract(artifact).check(load(path)).held for path in samples("valid", artifact)))
    assert set(contract(artifact).names) - kept == set()


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_every_type_is_asked_for(artifact: str) -> None:
    """Each place of each valid sample, with every wrong type in it: exactly its type is complained of, by both."""
    rules, broken = contract(artifact), set()
    for path in samples("valid", artifact):
        data = load(path)
        for place in places(data):
            for wrong in (None, True, 1, 1.5, -0.0, "1", [], {}):
                problems = rules.check(changed(data, place, wrong)).problems
                types = [problem for problem in problems if problem.rule.endswith("__type")]
                if types:
                    assert [problem.path for problem in problems] == [place], (place, wrong)
                    broken.add(types[0].rule)
                    assert model(artifact).problems(changed(data, place, wrong)), (place, wrong)
    assert {name for name in rules.names if name.endswith("__type")} - broken == set()


def test_a_rule_without_a_sample_is_missed() -> None:
    """The test above can fail: a schema with one more rule has one name more."""
    more = schema(ARTIFACTS["turn_transition"])
    more["properties"]["why"] = {"type": "string", "minLength": 1}
    more["allOf"].append({"if": {"properties": {"from_state": {"enum": ["Idle"]}}}, "then": {"required": ["why"]}})
    added = set(Rules(more, "turn_transition").names) - set(contract("turn_transition").names)
    assert added == {"why__type", "why__minLength", "why__required__where_from_state_idle"}


@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_the_models_tables_are_among_the_rules(artifact: str) -> None:
    """Each line of a RULES table has its names; none gets lost on the way through the schema."""
    published = contract(artifact).names
    for rule in model(artifact).RULES:
        where = "_and_".join(f"{name}_{'_or_'.join(map(str, values)).lower()}" for name, values in rule.when.items())
        suffix = f"__where_{where}" if where else ""
        always = {name for name, known in model(artifact).model_fields.items() if known.is_required()}
        wanted = [f"{name}__required{suffix}" for name in rule.required if name not in always]
        wanted += [f"{name}__is{suffix}" for name in rule.values]
        assert [name for name in wanted if name not in published] == []


# ---- three readers, one opinion

ANY = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from([0.5, -1.5]), st.text(max_size=3),
    st.sampled_from(["turn", "session", "abort", "cancel", "RK-24", "pre_turn", "ControlLane", "Idle", "block"]),
    st.lists(st.sampled_from(["a", "retry", ""]), max_size=3), st.dictionaries(st.just("enabled"), st.booleans()),
)  # fmt: skip


@given(data=st.data())
@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_model_schema_and_rules_are_of_one_opinion(artifact: str, data: st.DataObject) -> None:
    """Valid samples in which anything was changed, taken away or added."""
    sample = load(data.draw(st.sampled_from(samples("valid", artifact))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(places(sample))[1:] or [()]))
        match data.draw(st.sampled_from(["change", "change", "remove", "add"])):
            case "change":
                sample = changed(sample, place, data.draw(ANY))
            case "remove":
                sample = without(sample, place)
            case _ if place and isinstance(place[-1], str):
                name = data.draw(st.sampled_from(["because", "reason", "scope"]))
                sample = changed(sample, (*place[:-1], name), "x")
    problems = contract(artifact).check(sample).problems
    assert (model(artifact).problems(sample) == []) == (problems == []), problems
    only_ours = problems != [] and all(problem.rule.endswith("__ordered") for problem in problems)
    assert standard(artifact).is_valid(sample) == (problems == [] or only_ours), problems


def without(data: Any, path: Where) -> Any:
    whole = copy.deepcopy(data)
    if path:
        part = whole
        for key in path[:-1]:
            part = part[key]
        del part[path[-1]]
    return whole


# ---- one source


@pytest.mark.feature("F-032", "same")
def test_the_runtime_carries_what_is_published() -> None:
    root = Path(__file__).parents[2]
    carried = root / "runtime_base" / "src" / "rspp_runtime" / "contracts" / "schemas"
    published = root / "docs" / "schemas"
    assert {path.stem for path in carried.iterdir()} == set(ARTIFACTS.values())
    for path in carried.iterdir():
        assert path.read_bytes() == (published / path.name).read_bytes(), "run `make schemas`"


def test_a_schema_with_other_words_is_refused() -> None:
    """So that no rule is published which the runtime passes over."""
    for change in ({"maximum": 3}, {"format": "uri"}, {"multipleOf": 2}):
        other = schema(ARTIFACTS["turn_transition"])
        other["properties"]["from_state"] |= change
        with pytest.raises(ValueError, match="no rule is made of"):
            Rules(other, "turn_transition")
    other = schema(ARTIFACTS["turn_transition"])
    other["allOf"].append({"not": {"required": ["trigger"]}})
    with pytest.raises(ValueError, match="no rule is made of"):
        Rules(other, "turn_transition")


def test_both_sides_have_one_word_for_order() -> None:
    from rspp_runtime.contracts import conditions

    assert conditions.ORDERED == ORDERED
