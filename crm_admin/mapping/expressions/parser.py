"""Reads an arrow function and makes it one Python function; there are no loops, so it always
ends.
"""

import re
from collections.abc import Callable
from typing import Final, NoReturn

from crm_admin.jsontypes import Json
from crm_admin.mapping.expressions import methods
from crm_admin.mapping.expressions import operations as ops
from crm_admin.mapping.expressions.operations import Run
from crm_admin.mapping.expressions.tokens import ExpressionError, Token, tokens_of, unescaped

DEEPEST: Final = 40
MOST_NODES: Final = 150
"""Each operator is one call deeper at most, so this also bounds the depth of the evaluation."""

Node = Callable[[Run], Json]
Link = tuple[bool, Callable[[Run, Json], Json]]

CONSTANTS: Final[dict[str, Json]] = {"true": True, "false": False, "null": None, "undefined": None}
LEVELS: Final = (
    frozenset({"??", "||"}),
    frozenset({"&&"}),
    frozenset({"===", "!==", "==", "!="}),
    frozenset({"<", ">", "<=", ">="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
HOLE: Final = re.compile(r"\$\{([^{}`]*)\}")


def compile_arrow(source: str) -> Callable[[Json], Json]:
    """Return the function an arrow function describes; ExpressionError with its place when it is
    refused.

    It takes one value and never changes it. Texts are counted in characters, not in JavaScript's
    half pairs.
    """
    parser = _Parser(tokens_of(source))
    body = parser.arrow()
    return lambda value: body(Run(value))


class _Parser:
    def __init__(self, tokens: list[Token], parameter: str = "", nodes: int = 0) -> None:
        self.tokens = tokens
        self.place = 0
        self.parameter = parameter
        self.nodes = nodes
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.next
        self.place += 1
        return token

    def accept(self, *marks: str) -> str:
        if self.next.kind in {"mark", "name"} and self.next.text in marks:
            return self.take().text
        return ""

    def expect(self, mark: str) -> None:
        if not self.accept(mark):
            self.refuse(f"“{mark}” is missing")

    def refuse(self, what: str) -> NoReturn:
        token = self.next
        near = f"before “{token.text[:20]}”" if token.text else "at the end"
        raise ExpressionError(f"{what} {near}, character {token.position + 1}.", token.position)

    def count(self) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            self.refuse("The expression is too long")

    def arrow(self) -> Node:
        wrapped = self.accept("(")
        name = self.take()
        if name.kind != "name" or name.text in CONSTANTS:
            self.place -= 1
            self.refuse("An arrow function like (value) => value.trim() is expected")
        self.parameter = name.text
        if wrapped:
            if self.next.text == ",":
                self.refuse("The function takes one value only, so a bracket is missing")
            self.expect(")")
        self.expect("=>")
        body = self.block() if self.accept("{") else self.expression()
        self.accept(";")
        if self.next.kind != "end":
            self.refuse("Something is left over")
        return body

    def block(self) -> Node:
        self.expect("return")
        body = self.expression()
        self.accept(";")
        self.expect("}")
        return body

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse("The expression is nested too deeply")
        node = self.binary(0)
        if self.accept("?"):
            self.count()
            node = self.choice(node)
        self.depth -= 1
        return node

    def choice(self, test: Node) -> Node:
        yes = self.expression()
        self.expect(":")
        no = self.expression()
        return lambda run: yes(run) if ops.truthy(test(run)) else no(run)

    def binary(self, level: int) -> Node:
        if level == len(LEVELS):
            return self.unary()
        node = self.binary(level + 1)
        while mark := self.accept(*LEVELS[level]):
            self.count()
            node = _operator(mark, node, self.binary(level + 1))
        return node

    def unary(self) -> Node:
        mark = self.accept("!", "-")
        if not mark:
            return self.chain()
        self.count()
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse("The expression is nested too deeply")
        inner = self.unary()
        self.depth -= 1
        if mark == "!":
            return lambda run: not ops.truthy(inner(run))
        return lambda run: ops.arithmetic("-", 0, inner(run))

    def chain(self) -> Node:
        head = self.primary()
        links: list[Link] = []
        while mark := self.accept(".", "?.", "["):
            self.count()
            links.append((mark == "?.", self.link(mark)))
        return _chained(head, links) if links else head

    def link(self, mark: str) -> Callable[[Run, Json], Json]:
        if mark == "[" or (mark == "?." and self.accept("[")):
            place = self.expression()
            self.expect("]")
            return lambda run, value: ops.member(value, place(run))
        name = self.name()
        if not self.accept("("):
            return lambda _run, value: ops.member(value, name)
        arguments = self.arguments(")")
        return lambda run, value: methods.call_method(
            run, value, name, [one(run) for one in arguments]
        )

    def name(self) -> str:
        if self.next.kind != "name":
            self.refuse("A name is missing")
        return self.take().text

    def arguments(self, end: str) -> list[Node]:
        found: list[Node] = []
        while not self.accept(end):
            found.append(self.expression())
            if self.next.text != end:
                self.expect(",")
        return found

    def primary(self) -> Node:
        self.count()
        token = self.take()
        match token.kind:
            case "number":
                return _constant(ops.number(float(token.text)))
            case "text":
                return _constant(unescaped(token.text[1:-1]))
            case "template":
                return self.template(token)
            case "name":
                return self.named(token)
            case _:
                return self.grouped(token)

    def grouped(self, token: Token) -> Node:
        if token.text == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if token.text == "[":
            parts = self.arguments("]")
            return lambda run: [part(run) for part in parts]
        self.place -= 1
        return self.refuse("A value is missing")

    def named(self, token: Token) -> Node:
        if token.text == self.parameter:
            return lambda run: run.value
        if token.text in CONSTANTS:
            return _constant(CONSTANTS[token.text])
        name = token.text
        if name == "Math":
            self.expect(".")
            name = f"Math.{self.name()}"
        function = methods.FUNCTIONS.get(name)
        if function is None:
            self.place -= 1
            self.refuse(f"There is nothing called {name[:40]}; it stands")
        self.expect("(")
        arguments = self.arguments(")")
        if len(arguments) != 1:
            self.refuse(f"{name} takes one value")
        inner = arguments[0]
        return lambda run: function(inner(run))

    def template(self, token: Token) -> Node:
        body, parts, place = token.text[1:-1], list[Node](), 0
        for hole in HOLE.finditer(body):
            parts.append(_constant(unescaped(body[place : hole.start()])))
            parts.append(self.hole(hole[1], token.position + 1 + hole.start(1)))
            place = hole.end()
        rest = body[place:]
        if any("${" in part for part in HOLE.split(body)[::2]):
            raise ExpressionError("A template may hold plain expressions only.", token.position)
        parts.append(_constant(unescaped(rest)))
        return lambda run: _written(run, parts)

    def hole(self, source: str, position: int) -> Node:
        inner = _Parser(tokens_of(source), self.parameter, self.nodes)
        inner.depth = self.depth
        try:
            node = inner.expression()
            if inner.next.kind != "end":
                inner.refuse("Something is left over")
        except ExpressionError as error:
            raise ExpressionError(error.sentence, position + max(0, error.position)) from error
        self.nodes = inner.nodes
        return node


def _constant(value: Json) -> Node:
    return lambda _run: value


def _written(run: Run, parts: list[Node]) -> str:
    texts = [ops.as_text(part(run)) for part in parts]
    run.spend(sum(len(text) for text in texts))
    return "".join(texts)


def _chained(head: Node, links: list[Link]) -> Node:
    """A `?.` on a blank value ends the whole chain, as in JavaScript."""

    def follow(run: Run) -> Json:
        value = head(run)
        for optional, link in links:
            if value is None:
                if optional:
                    return None
                raise ExpressionError("The value is blank. Write ?. where it may be.")
            value = link(run, value)
        return value

    return follow


def _operator(mark: str, left: Node, right: Node) -> Node:
    match mark:
        case "??":
            return lambda run: right(run) if (value := left(run)) is None else value
        case "||":
            return lambda run: value if ops.truthy(value := left(run)) else right(run)
        case "&&":
            return lambda run: right(run) if ops.truthy(value := left(run)) else value
        case "===" | "==":
            return lambda run: ops.equal(left(run), right(run))
        case "!==" | "!=":
            return lambda run: not ops.equal(left(run), right(run))
        case "<" | ">" | "<=" | ">=":
            return lambda run: ops.compare(mark, left(run), right(run))
        case "+":
            return lambda run: ops.add(run, left(run), right(run))
        case _:
            return lambda run: ops.arithmetic(mark, left(run), right(run))
