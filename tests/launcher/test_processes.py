"""What every process the launcher starts may do."""

import sys

from crm_admin.launcher import processes
from crm_admin.launcher.processes import Program

ASK = """
import os, pathlib, resource
pathlib.Path("written").write_text("secret")
print(oct(os.stat("written").st_mode & 0o777), resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_process_of_ours_writes_for_itself_alone_and_leaves_no_core(tmp_path):
    log = tmp_path / "log"

    processes.start(Program([sys.executable, "-c", ASK], log=log, cwd=tmp_path)).wait(20)

    assert log.read_text().split(maxsplit=1) == ["0o600", "(0, 0)\n"]
