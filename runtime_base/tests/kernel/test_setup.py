"""`setup.py` compiles what changed, and what depends on it: no less, and no more.

Cython is the real one. The C compiler only makes the file that it is asked for: which modules reach it is what counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SETUP = Path(__file__).parents[2] / "setup.py"
COMPILER = """#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo > "$2"
"""
KERNEL = {
    "__init__.py": "",
    "__init__.pxd": "",
    "base.pxd": "cdef inline int size() noexcept nogil:\n    return 1\n",
    "ring.pxd": "from rspp_runtime.kernel.base cimport size\ncdef int twice() noexcept nogil\n",
    "ring.pyx": "cdef int twice() noexcept nogil:\n    return 2 * size()\n",
    "lane.pyx": "from rspp_runtime.kernel.ring cimport twice\ndef told():\n    return twice()\n",
    "alone.pyx": "def told():\n    return 7\n",
}


class Project:
    """A runtime of four declarations and three modules, with the real `setup.py`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernel = folder / "src" / "rspp_runtime" / "kernel"
        self.kernel.mkdir(parents=True)
        (self.kernel.parent / "__init__.py").touch()
        for name, text in KERNEL.items():
            (self.kernel / name).write_text(text, encoding="utf-8")
        shutil.copy(SETUP, folder)
        self.compiler = folder / "cc"
        self.compiler.write_text(COMPILER, encoding="utf-8")
        self.compiler.chmod(0o755)

    def compiled_by_build(self, flags: str = "-O0", fail: bool = False) -> set[str]:
        """Builds, and tells which modules were compiled anew."""
        before = self._times()
        command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "out"]
        environment = {**os.environ, "RSPP_CFLAGS": flags, "CC": str(self.compiler)}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) is fail, done.stderr
        return {name for name, time in self._times().items() if before.get(name) != time}

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.kernel / name).read_text(encoding="utf-8")
        assert old in text
        (self.kernel / name).write_text(text.replace(old, new), encoding="utf-8")

    def _times(self) -> dict[str, int]:
        return {path.name.split(".")[0]: path.stat().st_mtime_ns for path in self.folder.glob("out/**/*.so")}


def test_only_what_depends_on_a_change_is_compiled(tmp_path: Path) -> None:
    project, everything = Project(tmp_path), {"ring", "lane", "alone"}
    project.change("alone.pyx", "return 7", "return :")
    assert project.compiled_by_build(fail=True) == set()
    project.change("alone.pyx", "return :", "return 7")
    assert project.compiled_by_build() == everything, "what was interrupted begins anew"
    assert project.compiled_by_build() == set()
    project.change("base.pxd", "return 1", "return 21")  # inlined into `ring`, which `lane` cimports
    assert project.compiled_by_build() == {"ring", "lane"}
    assert "return 21" in (tmp_path / "build/cython/src/rspp_runtime/kernel/ring.c").read_text(encoding="utf-8")
    assert project.compiled_by_build(flags="-O1") == everything
    assert project.compiled_by_build() == everything, "back again: what lies there is of the other flags"
