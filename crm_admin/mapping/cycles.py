"""Finds values that wander through several rules back to where they came from and never come to
rest.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crm_admin.mapping.rules import Direction, FieldRule

Graph = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Cycle:
    """The fields a value passes, the first again at the end, and the rule that closes the round."""

    path: tuple[str, ...]
    rule_id: str


def find_cycles(rules: Sequence[FieldRule]) -> Iterator[Cycle]:
    """Yield one cycle per group of fields that has any; a pair of fields in both directions is
    none.
    """
    graph = _graph(rules)
    finished: set[str] = set()
    for start in graph:
        cycle = None if start in finished else _cycle_from(start, graph, finished)
        if cycle is not None:
            yield cycle


def _graph(rules: Sequence[FieldRule]) -> Graph:
    graph: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for rule in rules:
        here, there = rule.ours, f"{rule.theirs} of the CRM"
        if rule.direction is not Direction.TO_CRM:
            graph[there].append((here, rule.id))
        if rule.direction is not Direction.FROM_CRM:
            graph[here].append((there, rule.id))
    return graph


def _cycle_from(start: str, graph: Graph, finished: set[str]) -> Cycle | None:
    """Walk in depth. A step back to where one just came from is the other way of a pair, not a
    cycle.
    """
    path = [start]
    todo = [iter(graph.get(start, ()))]
    while todo:
        step = next(todo[-1], None)
        if step is None:
            todo.pop()
            finished.add(path.pop())
            continue
        node, rule_id = step
        if node in path[-2:-1]:
            continue
        if node in path:
            finished.update(path)
            return Cycle((*path[path.index(node) :], node), rule_id)
        if node not in finished:
            path.append(node)
            todo.append(iter(graph.get(node, ())))
    return None
