"""The project's catalogue of features, `docs/features.toml`, as data.

A feature has acceptance steps, each `key: what must be seen`. A test names what it shows:
`@pytest.mark.feature("F-043", "bound", "strategy")`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

CATALOGUE = Path(__file__).parents[2] / "docs" / "features.toml"


@dataclass(frozen=True)
class Feature:
    id: str
    group: str
    phase: str  # "mvp" or "later"
    line: str
    steps: Mapping[str, str]  # key -> what must be seen, in the catalogue's order


def load(path: Path = CATALOGUE) -> dict[str, Feature]:
    """The catalogue by id, in file order. Raises ValueError naming the entry that is malformed."""
    features: dict[str, Feature] = {}
    for number, entry in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["feature"], start=1):
        where = f"{path.name}, entry {number} ({entry.get('id', 'no id')})"
        missing = {"id", "group", "phase", "line", "steps"} - entry.keys()
        if missing:
            raise ValueError(f"{where}: missing {', '.join(sorted(missing))}")
        if entry["id"] in features:
            raise ValueError(f"{where}: the id is taken")
        if entry["phase"] not in ("mvp", "later"):
            raise ValueError(f'{where}: phase is "mvp" or "later", not {entry["phase"]!r}')
        steps: dict[str, str] = {}
        for step in entry["steps"]:
            key, colon, text = step.partition(": ")
            if not colon or not text or not key.replace("_", "").isalnum() or key != key.lower():
                raise ValueError(f'{where}: a step reads "key: what must be seen", not {step!r}')
            if key in steps:
                raise ValueError(f"{where}: two steps have the key {key!r}")
            steps[key] = text
        if not steps:
            raise ValueError(f"{where}: a feature without steps can never be shown")
        features[entry["id"]] = Feature(entry["id"], entry["group"], entry["phase"], entry["line"], steps)
    return features


def complaint(features: Mapping[str, Feature], args: tuple[object, ...], kwargs: Mapping[str, object]) -> str | None:
    """What is wrong with the mark `feature(*args, **kwargs)`, in one line; None if nothing is."""
    if kwargs or not args or not all(isinstance(arg, str) for arg in args):
        return 'a mark reads feature("F-043", "step", …): an id, then the keys of the steps the test shows'
    feature_id, *steps = (str(arg) for arg in args)
    if feature_id not in features:
        return f"no feature {feature_id!r} in the catalogue{_did_you_mean(feature_id, features)}"
    known = features[feature_id].steps
    for step in steps:
        if step not in known:
            return f"{feature_id} has no step {step!r}{_did_you_mean(step, known)}; it has {', '.join(known)}"
    return None


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""
