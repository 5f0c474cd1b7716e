import re

import pytest

from tests.architecture import files

MADE_ELSEWHERE = re.compile(r"(^|/)(vendor|node_modules)/|\.min\.(js|css)$")
INDEX_HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "registry." + "npmjs.org", "/sim" + "ple/")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(root|work|home/\w+|Users/\w+)/")
TEXT = {".py", ".html", ".css", ".js", ".md", ".toml", ".json", ".yaml", ".lock", ".sh", ".sql", ""}


def texts():
    for path in files.tracked():
        if path.suffix in TEXT:
            yield files.name(path), path.read_text(encoding="utf-8")


def test_nothing_of_others_is_in_the_repository():
    names = [files.name(path) for path in files.tracked()]

    assert [name for name in names if MADE_ELSEWHERE.search(name)] == []


@pytest.mark.parametrize("host", INDEX_HOSTS)
def test_no_file_names_an_index_of_packages(host):
    assert [name for name, text in texts() if host in text] == []


def test_no_file_names_a_folder_of_one_machine():
    assert [name for name, text in texts() if MACHINE_PATHS.search(text)] == []


def test_locks_have_hashes_and_no_addresses():
    for path in (files.ROOT / "requirements").glob("*.lock"):
        text = path.read_text(encoding="utf-8")

        assert "--hash=sha256:" in text
        assert "://" not in text


def test_the_lock_of_front_end_files_says_not_where_from():
    text = (files.ROOT / "package-lock.json").read_text(encoding="utf-8")

    assert '"integrity"' in text
    assert '"resolved"' not in text
