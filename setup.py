"""Packaging that pyproject.toml cannot say: the optional C kernel and the bundled folders.

`queries/` and `sample_logs/` stand at the top of the repository, where people look for them, and
travel in the wheel as `flowscan/bundled/`. The kernel is optional: without a C compiler the
install succeeds and the Arrow parser does the work.
"""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup

ROOT = Path(__file__).parent
BUNDLED = ("queries", "sample_logs")


def bundled_files(folder: str) -> list[str]:
    """Files of a bundled folder, relative to it."""
    root = ROOT / folder
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def package_data() -> dict[str, list[str]]:
    """Data files inside the packages, and the bundled folders."""
    inside = ["py.typed", "**/*.toml", "**/*.csv", "**/*.j2", "**/*.css", "**/*.js", "**/*.sql"]
    inside += ["**/*.json", "**/*.html", "**/*.pyi"]
    return {"flowscan": inside} | {f"flowscan.bundled.{f}": bundled_files(f) for f in BUNDLED}


KERNEL = Extension(
    "flowscan.parse._kernel",
    sources=sorted(str(p.relative_to(ROOT)) for p in (ROOT / "native").glob("*.c")),
    depends=sorted(str(p.relative_to(ROOT)) for p in (ROOT / "native").glob("*.h")),
    extra_compile_args=[]
    if sys.platform == "win32"
    else ["-O3", "-std=c11", "-fvisibility=hidden"],
    define_macros=[("Py_LIMITED_API", "0x030B0000")],
    py_limited_api=True,
    optional=True,
)

setup(
    packages=[
        *find_packages(include=["flowscan", "flowscan.*"]),
        *(f"flowscan.bundled.{f}" for f in BUNDLED),
    ],
    package_dir={f"flowscan.bundled.{f}": f for f in BUNDLED},
    package_data=package_data(),
    ext_modules=[KERNEL],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
