"""Cuts the source of an arrow function into tokens."""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_SOURCE: Final = 2_000

TOKEN: Final = re.compile(
    r"\s*(?:"
    r"(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?)"
    r"|(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)"
    r"|(?P<text>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<template>`(?:[^`\\]|\\.)*`)"
    r"|(?P<mark>===|!==|=>|\?\?|\?\.(?!\d)|&&|\|\||<=|>=|==|!=|[-+*/%!<>?:.,()\[\]{};])"
    r")",
    re.ASCII | re.DOTALL,
)
ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


class ExpressionError(ValueError):
    """Source or value that the language refuses; `position` is the place in the source, -1 while
    running.
    """

    def __init__(self, sentence: str, position: int = -1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    position: int


def tokens_of(source: str) -> list[Token]:
    """Return the tokens of a source, an end token last; ExpressionError names the first odd
    character.
    """
    if len(source) > LONGEST_SOURCE:
        raise ExpressionError(
            f"An expression may have {LONGEST_SOURCE:,} characters.", LONGEST_SOURCE
        )
    found: list[Token] = []
    place, end = 0, len(source.rstrip())
    while place < end:
        match = TOKEN.match(source, place)
        if match is None or match.lastgroup is None:
            odd = place + len(source[place:]) - len(source[place:].lstrip())
            raise ExpressionError(f"“{source[odd]}” at character {odd + 1} is not understood.", odd)
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        place = match.end()
    return [*found, Token("end", "", end)]


def unescaped(text: str) -> str:
    """Return a literal's text with its escapes replaced."""

    def replace(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else ESCAPES.get(code, code)

    return ESCAPE.sub(replace, text)
