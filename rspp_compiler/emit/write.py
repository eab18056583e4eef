"""Files to disk: only what changed, each in one piece, what is stale removed, and nothing that a person wrote lost."""

from __future__ import annotations

from pathlib import Path

from rspp_compiler.emit.manifest import NAME, listed_files, sha256
from rspp_compiler.emit.place import write_whole
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.files import Files, Written


def write(files: Files, ctx: Context) -> Written | None:
    """Brings `output/NAME` to what `files` says, or with `check_drift` only tells what differs.

    Reports E0701 for a file that was edited by hand since it was generated (`force` overwrites it), E0702 for a folder
    that holds something else, E0703 when the disk refuses. None if anything was reported.
    """
    folder = ctx.options.output / files.name
    try:
        listed = _listed(folder)
        if listed is None:
            _refuse_folder(files, folder, ctx)
            return None
        changed = sorted(path for path, data in files.contents.items() if _read(folder / path) != data)
        removed = sorted(path for path in listed if path not in files.contents and (folder / path).is_file())
        written = Written(folder, tuple(changed), tuple(removed), files)
        if ctx.options.check_drift:
            return written
        edited = [path for path in (*changed, *removed) if path != NAME and _is_edited(folder, path, listed)]
        if edited and not ctx.options.force:
            _refuse_edits(files, folder, edited, ctx)
            return None
        # The manifest is written last: until then the old one still tells what is ours.
        for path in sorted(changed, key=lambda path: (path == NAME, path)):
            write_whole(folder / path, files.contents[path])
        for path in removed:
            _remove(folder, path)
    except OSError as error:
        where = error.filename2 or error.filename or folder
        ctx.sink.add(
            "E0703",
            f"cannot write `{where}`: {error.strerror}",
            files.frozen.layout.analysis.graph.spec.span,
            label="while this pipeline was written",
            help="choose a folder that can be written, with `-o DIR`",
        )
        return None
    if written.drifted:
        ctx.progress(f"{files.name}: {len(changed)} files written, {len(removed)} removed")
    return written


def _listed(folder: Path) -> dict[str, str] | None:
    """What the last build wrote: path -> SHA-256. None if the folder holds something that no build wrote."""
    if not folder.exists():
        return {}
    data = _read(folder / NAME)
    if data is None:
        return None if any(folder.iterdir()) else {}
    return listed_files(data)


def _is_edited(folder: Path, path: str, listed: dict[str, str]) -> bool:
    """Whether the file on disk is neither what was generated there, nor absent."""
    data = _read(folder / path)
    return data is not None and listed.get(path) != sha256(data)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _remove(folder: Path, path: str) -> None:
    """Removes a stale file, and the folders that it leaves empty."""
    (folder / path).unlink()
    for parent in (folder / path).parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def _refuse_folder(files: Files, folder: Path, ctx: Context) -> None:
    ctx.sink.add(
        "E0702",
        f"`{folder}` exists and is not a generated package",
        files.frozen.layout.analysis.graph.spec.span,
        label="this pipeline would be written there",
        notes=[f"it has no readable `{NAME}`"],
        help="move that folder away, or choose another with `-o DIR`",
    )


def _refuse_edits(files: Files, folder: Path, edited: list[str], ctx: Context) -> None:
    for path in edited:
        ctx.sink.add(
            "E0701",
            f"`{folder / path}` was edited by hand",
            files.frozen.layout.analysis.graph.spec.span,
            label="this pipeline generates it",
            notes=["it differs from what the last build wrote, and would be lost"],
            help="put the change into the pipeline, or overwrite the file with `--force`",
        )
