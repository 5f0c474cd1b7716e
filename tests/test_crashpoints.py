import signal
import subprocess
import sys

import pytest

from crm_admin import crashpoints
from crm_admin.crashpoints import Crashed, crashpoint
from crm_admin.errors import ConfigError

CHILD = """
from crm_admin import crashpoints
crashpoints.install(crashpoints.from_setting("run.claimed:2:kill"))
crashpoints.crashpoint("run.claimed")
print("once", flush=True)
crashpoints.crashpoint("run.claimed")
print("twice", flush=True)
"""


@pytest.fixture(autouse=True)
def idle():
    yield
    crashpoints.install(None)


def test_without_a_handler_nothing_happens():
    crashpoints.install(None)

    assert crashpoint("run.claimed") is None


def test_the_named_hit_raises_and_no_other():
    crashpoints.install(crashpoints.from_setting("run.claimed:2:raise, page.fetched:1:raise"))

    crashpoint("run.claimed")
    with pytest.raises(Crashed, match=r"run\.claimed"):
        crashpoint("run.claimed")
    crashpoint("run.claimed")


def test_a_kill_leaves_no_time_for_anything():
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "once\n")


@pytest.mark.parametrize("text", ["nowhere:1:kill", "run.claimed:1:explode", "run.claimed", "x"])
def test_a_setting_that_names_nothing_known_is_refused(text):
    with pytest.raises(ConfigError, match="CRASHPOINTS"):
        crashpoints.from_setting(text)


def test_no_setting_means_no_handler():
    assert crashpoints.from_setting("") is None
