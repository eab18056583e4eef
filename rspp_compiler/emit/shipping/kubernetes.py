"""A pipeline's manifests for Kubernetes: a kustomize base, two overlays, one more for each tenant's namespace.

    base/                     what every installation has
    components/servicemonitor for clusters with the Prometheus operator
    components/shared-logs    storage that all pods write to: sessions go on in another pod
    overlays/development      one pod, no autoscaler
    overlays/production       both components
    tenants/NAME              a namespace of a tenant's own, with its quota

Nothing here knows a time or a machine: the same pipeline and the same wishes give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rspp_compiler.emit.package_view import package_view
from rspp_compiler.emit.shipping.pod import LOG_BYTES_PER_S, PROCESS_MILLICPU, Pod
from rspp_compiler.emit.shipping.words import dns_name, gib, secret_places
from rspp_compiler.emit.templates import render_template
from rspp_compiler.ir.plan import Frozen

GRACE_S = 30  # for turns that still run at SIGTERM: docs/serving.md
PRE_STOP_S = 5  # until every endpoint has forgotten the pod
ENDING_S = 10  # for turns that are cut to end, evidence to be written, engines to be closed
RESUME_S = 32  # how long a session waits for its client: docs/serving.md, reconnecting and disconnected
SESSIONS_TARGET_PERCENT = 70  # of a full pod: what is left serves until the next one is ready
LAG_TARGET = "10m"  # 0.010: half a frame
REPLICAS_MAX = 10
LOG_HOURS = 8  # of a full pod: what its logs may take
TMP_LIMIT = "64Mi"
ORIGIN = "https://voice.invalid"  # nobody's

COMPONENT = "kustomize.config.k8s.io/v1alpha1", "Component"
KUSTOMIZATION = "kustomize.config.k8s.io/v1beta1", "Kustomization"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says about the cluster. `image` is `REGISTRY/NAME:TAG`; `tenants` are namespaces."""

    image: str
    namespace: str = ""
    tenants: tuple[str, ...] = ()
    replicas_max: int = REPLICAS_MAX


def kubernetes(frozen: Frozen, pod: Pod, wishes: Wishes, providers_elsewhere: tuple[str, ...] = ()) -> dict[str, str]:
    """Path -> text of every manifest. `providers_elsewhere` are the engines that are asked over the network."""
    view = _view(frozen, pod, wishes, providers_elsewhere)
    files = {
        f"base/{name}.yaml": render_template(f"kubernetes/{name}.yaml.j2", view)
        for name in ("deployment", "hpa", "networkpolicy", "pdb", "service", "serviceaccount")
    }
    files["base/settings.env"] = render_template("kubernetes/settings.env.j2", view)
    files["components/servicemonitor/servicemonitor.yaml"] = render_template("kubernetes/servicemonitor.yaml.j2", view)
    files["components/shared-logs/pvc.yaml"] = render_template("kubernetes/pvc.yaml.j2", view)
    for tenant in wishes.tenants:
        text = render_template("kubernetes/tenant.yaml.j2", view | {"tenant": tenant})
        files[f"tenants/{tenant}/namespace.yaml"] = text
    for path, kustomization in _kustomizations(view, wishes):
        text = render_template("kubernetes/kustomization.yaml.j2", _KUSTOMIZATION | kustomization)
        files[f"{path}/kustomization.yaml"] = text
    return dict(sorted(files.items()))


# ---- the view


def _view(frozen: Frozen, pod: Pod, wishes: Wishes, elsewhere: tuple[str, ...]) -> dict[str, Any]:
    """One flat view for all templates, with every figure and the sentence that says where it is from."""
    plan = frozen.layout.plan
    name = dns_name(plan.pipeline)
    variables, files = secret_places(frozen)
    return {
        **package_view(frozen),
        "name": name,
        "namespace": wishes.namespace or name,
        "image": wishes.image,
        "skips": _skips(bool(variables)),
        "secret_variables": variables,
        "secret_mounts": [{"path": path, "key": path.rsplit("/", 1)[-1]} for path in files],
        "is_remote": bool(elsewhere),
        "remote_comment": f"The vendors of {', '.join(elsewhere)}",
        "affinity_s": 3 * 3600,
        **_times(),
        **_resources(pod),
        **_storage(pod, plan.recording_level, wishes),
        **_scaling(pod, wishes),
        "settings": _settings(pod, plan.recording_level),
    }


def _skips(has_variables: bool) -> list[str]:
    """What checkov would have otherwise, and why it is as it is: it reads the annotations."""
    reasons = [
        (
            "CKV_K8S_43",
            "a digest is known when the image has been pushed; overlays/production has the place for it",
        )
    ]
    if has_variables:
        reasons.append(("CKV_K8S_35", "the pipeline asks for its secrets by the names of variables"))
    return [f'checkov.io/skip{number}: "{code}={why}"' for number, (code, why) in enumerate(reasons, start=1)]


def _times() -> dict[str, Any]:
    whole = PRE_STOP_S + GRACE_S + ENDING_S
    return {
        "pre_stop_s": PRE_STOP_S,
        "termination_s": whole,
        "termination_comment": f"{PRE_STOP_S} s of preStop, {GRACE_S} s of RSPP_SERVE_GRACE for turns that still run, "
        f"{ENDING_S} s for their evidence",
    }


def _resources(pod: Pod) -> dict[str, Any]:
    cpu = [f"{pod.cpu_millis}m = {pod.cpu_terms[0]}.", *(f"{term}." for term in pod.cpu_terms[1:])]
    if pod.unpaced:
        cpu.append(f"Not in it: {', '.join(pod.unpaced)}, which work on text: no bound counts them. Measure with")
        cpu.append("`rspp bench --own`, and give what it says as --cpu-per-session.")
    memory = [f"{pod.memory_mi}Mi = {pod.memory_terms[0]}.", *(f"{term}." for term in pod.memory_terms[1:])]
    if pod.untold:
        memory.append(f"Not in it: {', '.join(pod.untold)}, which declare no `limit = {{ memory = … }}`.")
    return {
        "cpu_comments": cpu,
        "memory_comments": memory,
        "cpu": f"{pod.cpu_millis}m",
        "cpu_limit": str(pod.cpu_limit_millis // 1000),
        "cpu_limit_comment": "The next whole core: engines load faster, and nobody who speaks is throttled.",
        "memory": f"{pod.memory_mi}Mi",
    }


def _storage(pod: Pod, level: str, wishes: Wishes) -> dict[str, Any]:
    rate = LOG_BYTES_PER_S[level]
    whole = pod.sessions * rate * LOG_HOURS * 3600
    text = f"{pod.sessions} sessions × {rate // 1024} KiB/s at level {level} × {LOG_HOURS} h"
    shared = whole * wishes.replicas_max
    return {
        "tmp_limit": TMP_LIMIT,
        "logs_limit": gib(whole),
        "logs_comment": f"{text}. Take logs away before: nothing here does.",
        "shared_logs": gib(shared),
        "shared_logs_comment": f"{wishes.replicas_max} pods × {text}. Take logs away before: nothing here does.",
    }


def _scaling(pod: Pod, wishes: Wishes) -> dict[str, Any]:
    target = max(1, pod.sessions * SESSIONS_TARGET_PERCENT // 100)
    pods = wishes.replicas_max + 1
    drained = PRE_STOP_S + GRACE_S
    return {
        "replicas_max": wishes.replicas_max,
        "sessions_target": target,
        "sessions_target_comment": f"{SESSIONS_TARGET_PERCENT} % of the {pod.sessions} sessions of a pod",
        "lag_target": LAG_TARGET,
        "lag_comment": "0.010 s, half a frame: beyond that callers' frames are late",
        "scale_down_s": drained + 25,
        "scale_down_comment": f"One after the other: a pod drains for up to {drained} s",
        "quota_comment": f"{wishes.replicas_max} pods of the HorizontalPodAutoscaler, and one more during an update",
        "quota_cpu": f"{pods * pod.cpu_millis}m",
        "quota_cpu_limit": str(pods * pod.cpu_limit_millis // 1000),
        "quota_memory": f"{pods * pod.memory_mi}Mi",
        "quota_pods": pods,
    }


def _settings(pod: Pod, level: str) -> list[dict[str, str]]:
    rows = [
        ("RSPP_SERVE_MAX_SESSIONS", pod.sessions, "Sessions of one pod: what its requests are computed for."),
        (
            "RSPP_SERVE_GRACE",
            GRACE_S,
            "Seconds at SIGTERM for running turns; the termination grace is made of it.",
        ),
        ("RSPP_SERVE_LEVEL", level, "L0 headers and decisions, L1 texts too, L2 all; as the pipeline says."),
        ("RSPP_SERVE_ORIGIN", ORIGIN, "The site whose pages may connect; this one is nobody's."),
    ]
    return [{"key": key, "value": str(value), "comment": comment} for key, value, comment in rows]


# ---- what belongs together

_KUSTOMIZATION: dict[str, Any] = {
    "head": (), "api": KUSTOMIZATION[0], "kind": KUSTOMIZATION[1], "namespace": "", "resources": (), "components": (),
    "settings": "", "behavior": "", "name": "", "image": None, "image_comment": "", "patches": (),
}  # fmt: skip


def _kustomizations(view: dict[str, Any], wishes: Wishes) -> Iterator[tuple[str, dict[str, Any]]]:
    name = view["name"]
    yield (
        "base",
        {
            "head": (
                f"What every installation of {view['pipeline']} has.",
                "Use an overlay: kubectl apply -k overlays/production",
            ),
            "namespace": view["namespace"],
            "resources": [
                f"{one}.yaml" for one in ("serviceaccount", "deployment", "service", "hpa", "pdb", "networkpolicy")
            ],
            "settings": "settings.env",
            "name": name,
        },
    )
    component = {"api": COMPONENT[0], "kind": COMPONENT[1]}
    yield "components/servicemonitor", component | {"resources": ["servicemonitor.yaml"]}
    yield "components/shared-logs", component | {"resources": ["pvc.yaml"], "patches": [_shared_logs(name)]}
    repository, _, tag = wishes.image.rpartition(":")
    image = {"name": repository, "new_name": repository, "new_tag": tag}
    yield (
        "overlays/development",
        {
            "head": ("One pod on one machine: kind, minikube, k3s. The image is loaded there, not pulled.",),
            "resources": ["../../base"],
            "patches": _development(name),
        },
    )
    yield (
        "overlays/production",
        {
            "head": ("Pods that share their logs, watched by Prometheus.",),
            "resources": ["../../base"],
            "components": [
                {"path": "../../components/shared-logs", "comment": "Needs storage of access mode ReadWriteMany."},
                {
                    "path": "../../components/servicemonitor",
                    "comment": "Without the Prometheus operator a cluster refuses a ServiceMonitor: leave this out.",
                },
            ],
            "image": image,
            "image_comment": "Where you pushed it. Better than a tag: `digest: sha256:…` in place of newTag.",
        },
    )
    for tenant in wishes.tenants:
        yield (
            f"tenants/{tenant}",
            {
                "head": (f"All of it once more, in the namespace of {tenant} alone.",),
                "namespace": tenant,
                "resources": ["namespace.yaml", "../../overlays/production"],
            },
        )


def _shared_logs(name: str) -> dict[str, Any]:
    return {
        "comment": "In place of the pod's own folder.",
        "kind": "Deployment",
        "lines": [
            "apiVersion: apps/v1",
            "kind: Deployment",
            "metadata:",
            f"  name: {name}",
            "spec:",
            "  template:",
            "    spec:",
            "      volumes:",
            "        - name: logs",
            "          emptyDir: null",
            "          persistentVolumeClaim:",
            f"            claimName: {name}-logs",
        ],
    }


def _development(name: str) -> list[dict[str, Any]]:
    return [
        {
            "comment": "One pod, whose image is there already.",
            "kind": "Deployment",
            "lines": [
                "apiVersion: apps/v1",
                "kind: Deployment",
                "metadata:",
                f"  name: {name}",
                "  annotations:",
                '    checkov.io/skip9: "CKV_K8S_15=for one machine: the image is loaded there, no registry has it"',
                "spec:",
                "  replicas: 1",
                "  template:",
                "    spec:",
                "      containers:",
                "        - name: agent",
                "          imagePullPolicy: IfNotPresent",
            ],
        },
        *(
            {
                "comment": comment,
                "kind": kind,
                "lines": [f"apiVersion: {api}", f"kind: {kind}", "metadata:", f"  name: {name}", "$patch: delete"],
            }
            for kind, api, comment in (
                ("HorizontalPodAutoscaler", "autoscaling/v2", "Nothing to scale by."),
                ("PodDisruptionBudget", "policy/v1", "One pod may always go."),
            )
        ),
    ]


def session_note(pod: Pod) -> str:
    """A sentence for the terminal: what the figures rest on, where that is worth a look; else ""."""
    if pod.cpu_millis <= 1000:
        return ""
    most = max(1, math.floor((1000 - PROCESS_MILLICPU) / pod.session_millicpu))
    return (
        f"{pod.sessions} sessions take up to {pod.cpu_millis / 1000:g} cores at worst, and a pod steps its sessions on "
        f"one: by the bound it holds {most}. Measure (rspp bench --own), and give --cpu-per-session"
    )
