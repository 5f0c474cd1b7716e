import ast

import pytest

from tests.architecture import files

LONGEST_FILE = 400
LONGEST_FUNCTION = 60


@pytest.mark.parametrize("path", files.python("crm_admin", "tests", "bench"), ids=files.name)
def test_a_file_has_one_noun(path):
    lines = path.read_text(encoding="utf-8").count("\n")

    assert lines <= LONGEST_FILE


def test_a_function_fits_a_screen():
    too_long = [
        f"{files.name(path)}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in files.python("crm_admin")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]

    assert too_long == []
