"""The files of this checkout as the architecture tests see them."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MADE: Final = frozenset({"var", "node_modules", "vendor", "dist", "__pycache__"})


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository; in a copy without git, every file nobody made here."""
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        return tuple(path for path in sorted(ROOT.rglob("*")) if path.is_file() and not _made(path))
    names = [name for name in done.stdout.decode().split("\0") if name]
    return tuple(path for name in sorted(names) if (path := ROOT / name).is_file())


def _made(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any(part in MADE or part.startswith(".") for part in parts[:-1])


def python(*folders: str) -> list[Path]:
    """The Python files below the folders."""
    roots = [ROOT / folder for folder in folders]
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and any(path.is_relative_to(root) for root in roots)
    ]


def templates() -> list[Path]:
    folder = ROOT / "crm_admin" / "templates"
    return [path for path in tracked() if path.is_relative_to(folder) and path.suffix == ".html"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))
