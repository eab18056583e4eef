"""What lies beside a pipeline: the bundle that names its files, and the files of policies, profile and rollout."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rspp_compiler.ir.json_form import Form, Name, PolicyForm, Profile, contradicts

BUNDLE, POLICY = "rspp.pipeline.bundle.v1", "rspp.policy.v1"
PROFILE, ROLLOUT = "rspp.profile.v1", "rspp.rollout.v1"
BUNDLE_SUFFIX = ".bundle.json"

Path = Annotated[str, Field(min_length=1, description="A path relative to the folder of the bundle.")]
Text = Annotated[str, Field(min_length=1)]
Percentage = Annotated[int, Field(ge=0, le=100)]


class BundleForm(Form):
    """One pipeline with the files that belong to it. A bundle's own file ends in `.bundle.json`."""

    schema_version: Literal["rspp.pipeline.bundle.v1"]
    bundle_id: Name
    spec: Path = Field(description="The pipeline: a `.json` of the form `rspp.pipeline.spec.v1`, or a `.rspp`.")
    profile: Path | None = Field(None, description="A file of the form `rspp.profile.v1`.")
    policies: list[Path] = Field(
        [], description="Files of the form `rspp.policy.v1`; they go before those of the spec."
    )
    rollout: Path | None = Field(None, description="A file of the form `rspp.rollout.v1`.")


class PolicyFile(PolicyForm):
    """A policy in a file of its own, so that it can be versioned by itself."""

    schema_version: Literal["rspp.policy.v1"]
    policy_version: Text | None = None


class ProfileFile(Form):
    """Which execution profile fills in what the pipeline does not say."""

    schema_version: Literal["rspp.profile.v1"]
    execution_profile: Profile = Field(description="`simple/v1`.")


class ShareForm(Form):
    """A version of the pipeline, and whose sessions get it: a share of all, or those of some tenants."""

    pipeline_version: Text
    percentage: Percentage | None = None
    tenants: Annotated[list[Text], Field(min_length=1)] | None = None


class RolloutForm(Form):
    """Which sessions get which version. It is no part of what the pipeline is, nor of its hash.

    `all`: one version for everybody. `percentage` and `canary`: shares that make 100 together; of a canary's two
    versions the second is the new one. `allowlist`: a version for the tenants it lists, the first one for all others.
    """

    schema_version: Literal["rspp.rollout.v1"]
    rollout_id: Name
    strategy: Literal["all", "percentage", "canary", "allowlist"]
    versions: Annotated[list[ShareForm], Field(min_length=1)]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        names = [share.pipeline_version for share in self.versions]
        if twice := next((at for at, name in enumerate(names) if name in names[:at]), 0):
            raise contradicts(f"versions.{twice}.pipeline_version", f"version {names[twice]} has its share already")
        if problem := _count_problem(self.strategy, len(self.versions)):
            raise contradicts("versions", problem)
        for at, share in enumerate(self.versions):
            if problem := _share_problem(self.strategy, at, share):
                raise contradicts(f"versions.{at}", problem)
        if self.strategy in ("percentage", "canary"):
            total = sum(share.percentage or 0 for share in self.versions)
            if total != 100:
                last = f"versions.{len(self.versions) - 1}.percentage"
                raise contradicts(last, f"the shares make {total} %, and not 100 %")
        return self


def _count_problem(strategy: str, count: int) -> str:
    """What is wrong with how many versions there are."""
    if strategy == "all" and count > 1:
        return "`all` has one version; for several there are `percentage` and `canary`"
    if strategy == "canary" and count != 2:
        return "a canary has two versions: the old one and the new one"
    return "an allowlist has two versions at least" if strategy == "allowlist" and count == 1 else ""


def _share_problem(strategy: str, at: int, share: ShareForm) -> str:
    """What is wrong with one version's share."""
    needs_percentage = strategy in ("percentage", "canary")
    needs_tenants = strategy == "allowlist" and at > 0
    if needs_percentage != (share.percentage is not None):
        return f"`{strategy}` takes {'a' if needs_percentage else 'no'} `percentage`"
    if needs_tenants != (share.tenants is not None):
        return "tenants are listed for every version but the first" if strategy == "allowlist" else "no tenants here"
    return ""
