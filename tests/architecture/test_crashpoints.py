import ast

from crm_admin import crashpoints
from tests.architecture import files


def called_names():
    for path in files.python("crm_admin"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "crashpoint":
                yield ast.literal_eval(node.args[0])


def test_the_list_of_crash_points_is_the_list_of_calls():
    called = set(called_names())

    assert sorted(called) == sorted(crashpoints.NAMES)
