"""`rsppc package`: its options. What it does is in `shipping`, which is imported when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rspp_compiler.cli.compiled import compiled
from rspp_compiler.cli.leave import leave
from rspp_compiler.cli.options import Backend, BackendOption, OneFile, Output


def package(
    file: OneFile,
    output: Output = Path("generated"),
    backend: BackendOption = Backend.cython,
    wheels: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder with every wheel the image needs.")] = None,
    base: Annotated[str | None, typer.Option(metavar="IMAGE", help="Image to build on; it must have Python.")] = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="NAME:TAG", help="Name of the image; default: pipeline:version."),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="opus|otel", help="What the image can do besides; may be repeated."),
    ] = None,
    no_image: Annotated[bool, typer.Option("--no-image", help="With --kubernetes: the manifests alone.")] = False,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Write manifests too: a kustomize base, and overlays.")
    ] = False,
    manifests: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; default: dist/kubernetes of the package.")
    ] = None,
    sessions_per_pod: Annotated[
        int | None,
        typer.Option("--sessions-per-pod", metavar="N", min=1, help="Default: as many as a core holds at worst."),
    ] = None,
    cpu_per_session: Annotated[
        int | None,
        typer.Option("--cpu-per-session", metavar="MILLIS", min=1, help="Thousandths of a core, as rspp bench says."),
    ] = None,
    namespace: Annotated[str, typer.Option("--namespace", metavar="NAME", help="Default: the pipeline's name.")] = "",
    tenant_namespace: Annotated[
        list[str] | None,
        typer.Option("--tenant-namespace", metavar="NAME", help="A tenant's own namespace; may be repeated."),
    ] = None,
) -> None:
    """Builds a pipeline as a container image, and writes manifests for Kubernetes.

    Where there is no docker, podman or buildah, lays out the folder that an image is built from.
    """
    from rspp_compiler.cli import report, shipping

    wishes = shipping.wishes(image, namespace, tenant_namespace or [])
    extras = shipping.extras(more or [])
    if no_image and not kubernetes:
        raise typer.BadParameter("without an image and without --kubernetes there is nothing to do")
    until = "target" if no_image else "compile"
    result = compiled(file, until=until, progress=True, output=output, backend=backend.value, install=False)
    if result.ok and not no_image:
        result = shipping.make_image(result, wheels, base, image, extras)
    if result.ok and kubernetes:
        shipping.write_manifests(result, wishes, output, manifests, sessions_per_pod, cpu_per_session)
    report.findings([result], to=sys.stderr)
    leave([result])
