"""Puts the front-end files, which are not in the repository, into a built wheel."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {"htmx.org/dist/htmx.min.js": "htmx.min.js"}
FETCH = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]


class FrontEnd(BuildHookInterface[Any]):
    """Fetches what is missing before a wheel is packed; an editable install does not need it."""

    def initialize(self, version: str, _build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        vendor = root / "crm_admin" / "static" / "vendor"
        if all((vendor / name).exists() for name in FILES.values()):
            return
        subprocess.run(FETCH, cwd=root, check=True)
        vendor.mkdir(parents=True, exist_ok=True)
        for source, name in FILES.items():
            shutil.copyfile(root / "node_modules" / source, vendor / name)
