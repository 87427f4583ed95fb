"""The table of lint's rules is whole: what the rules yield is in it, and what is in it can be found and is tested."""

import ast
import inspect
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

from rookery.jobs.lint import checker
from rookery.jobs.lint.rules import table as rules

LINT = Path(rules.__file__).parent
TESTS = Path(__file__).parent
CODE = re.compile(r'"(RK\d{3})"')
CODES = [rule.code for rule in rules.RULES]


def test_codes_are_in_order_and_their_own() -> None:
    assert sorted(set(CODES)) == CODES
    assert {code[:3] for code in CODES} == set(rules.GROUPS)


def test_each_code_that_the_rules_yield_is_in_the_table_and_the_other_way_round() -> None:
    sources = [file.read_text(encoding="utf-8") for file in sorted(LINT.glob("**/*.py")) if file.name != "rules.py"]
    assert {code for source in sources for code in CODE.findall(source)} == set(CODES)


def test_each_rule_is_applied() -> None:
    """A rule is a public function of a script that yields findings."""
    applied = {(rule.__module__, rule.__name__) for rule in checker._RULES}
    assert Counter(checker._RULES).most_common(1)[0][1] == 1
    wanted = set()
    for module in sorted({module for module, _ in applied}):
        for name, function in inspect.getmembers(import_module(module), inspect.isfunction):
            signature = inspect.signature(function)
            kinds = [str(parameter.annotation) for parameter in signature.parameters.values()]
            is_rule = [kind.rpartition(".")[2].rstrip("'>") for kind in kinds] == ["Context"]
            if function.__module__ == module and not name.startswith("_") and is_rule:
                wanted |= {(module, name)} if "Iterator" in str(signature.return_annotation) else set()
    assert {(module, name) for module, name in wanted if _yields_findings(module, name)} == applied


def _yields_findings(module: str, name: str) -> bool:
    return "Finding]" in str(inspect.signature(getattr(import_module(module), name)).return_annotation)


def test_each_rule_has_a_test() -> None:
    """Its code is in a string of a test: neither in a comment nor in a docstring."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in TESTS.glob("test_lint_*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    strings = [str(node.value) for node in nodes if isinstance(node, ast.Constant) and node not in docstrings]
    assert set(CODES) - {code for string in strings for code in re.findall(r"RK\d{3}", string)} == set()
