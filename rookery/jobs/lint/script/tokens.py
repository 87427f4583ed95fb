"""Split a shell script into words: quotes, `$…` and backquotes followed as bash and sh read them."""

import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass

_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_PLAIN = re.compile(r"[^\s\\'\"`$();&|<>#]+")
_IN_STRING = re.compile(r"[^\\$`\"]+")
_NAME = re.compile(r"\$([A-Za-z_]\w*|[0-9@*#?$!-])")
_BRACED = re.compile(r"[#!]?([A-Za-z_]\w*|[0-9]+)")
_ANSI = re.compile(r"\$'(?:[^'\\]|\\.)*'?", re.DOTALL)


@dataclass(frozen=True)
class ShellWord:
    """A word of a command.

    Attributes:
        text: Its text without quotes, variables unexpanded.
        start: Where it begins in the script.
        end: Where it ends.
        fixed: Whether it is this text whatever the variables are.
    """

    text: str
    start: int
    end: int
    fixed: bool = True


class Words(ABC):
    """A scanner that goes through a script once; this half passes words, the other the commands made of them.

    Attributes:
        text: The script.
        at: How far it has come.
    """

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.comments: list[int] = []
        self.remarks: list[tuple[int, int]] = []
        self.expansions: list[tuple[str, int]] = []
        self.arithmetics: list[tuple[int, int]] = []
        self.depth = 0
        self.substitutions = 0  # `$(…)` and backquotes within each other
        self.quoted = False  # within backquotes
        self.newlines = [match.start() for match in re.finditer("\n", text)]

    @abstractmethod
    def commands_until(self, closing: str) -> bool:
        """Pass all commands up to what closes them."""

    @abstractmethod
    def documents(self) -> None:
        """Pass the here-documents that begin on this line."""

    def line(self, offset: int) -> int:
        """Return the line of a place, from 1 on."""
        return bisect_right(self.newlines, offset - 1) + 1

    def peek(self, length: int = 1) -> str:
        """Return the next characters."""
        return self.text[self.at : self.at + length]

    def match(self, pattern: re.Pattern[str]) -> str:
        """Pass a match of the pattern here, and return it."""
        match = pattern.match(self.text, self.at)
        if not match:
            return ""
        self.at = match.end()
        return match.group()

    def blanks(self) -> bool:
        """Pass blanks, and line ends after a backslash; return whether there were any."""
        return bool(self.match(_BLANK))

    def comment(self) -> None:
        """Pass a comment; one with nothing but blanks before it is noted."""
        begin = self.text.rfind("\n", 0, self.at) + 1
        if not self.text[begin : self.at].strip():
            self.comments.append(self.at)
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        self.remarks.append((self.at, end))
        self.at = end

    def word(self) -> ShellWord:
        """Pass and return the word that begins here, at least one character."""
        start, pieces, fixed = self.at, [], True
        while self.at < len(self.text):
            character = self.peek()
            if plain := self.match(_PLAIN):
                pieces.append(plain)
            elif character == "\\":
                pieces.append("" if self.peek(2) == "\\\n" else self.text[self.at + 1 : self.at + 2])
                self.at += 2
            elif character == "'":
                end = self.text.find("'", self.at + 1)
                end = len(self.text) if end < 0 else end
                pieces.append(self.text[self.at + 1 : end])
                self.at = end + 1
            elif character == '"':
                text, same = self.double()
                pieces.append(text)
                fixed = fixed and same
            elif character == "$" or (character == "`" and not self.quoted):
                begin = self.at
                fixed = self.expansion() and fixed
                pieces.append(self.text[begin : self.at])
            elif character == "#" and self.at > start:
                pieces.append(character)
                self.at += 1
            elif character == "(" and "".join(pieces).endswith("="):  # an array's values
                self.at += 1
                self.values()
                fixed = False
            else:
                break
        self.at = min(max(self.at, start + 1), len(self.text))
        return ShellWord("".join(pieces), start, self.at, fixed)

    def values(self) -> None:
        """Read the words of an array, up to the bracket that ends it."""
        while self.at < len(self.text) and self.peek() != ")":
            if self.match(_BLANK):
                continue
            if self.peek() == "#":
                self.comment()
            elif self.peek() in {"\n", "(", ";", "&", "|", "<", ">"}:
                self.at += 1
            else:
                self.word()
        self.at += 1

    def double(self) -> tuple[str, bool]:
        """Return a string in double quotes: its text, and whether it is the same whatever the variables are."""
        self.at += 1
        pieces, fixed = [], True
        while self.at < len(self.text) and self.peek() != '"':
            character = self.peek()
            if character == "\\":
                pieces.append(self.text[self.at + 1 : self.at + 2] if self.peek(2)[1:] in '$`"\\' else self.peek(2))
                self.at += 2
            elif character in {"$", "`"}:
                begin = self.at
                fixed = self.expansion() and fixed
                pieces.append(self.text[begin : self.at])
            else:
                pieces.append(self.match(_IN_STRING))
        self.at += 1
        return "".join(pieces), fixed

    def expansion(self) -> bool:
        """Read `$…` or a backquote, with the commands within it; return whether it was a mere `$`."""
        if self.peek() == "`":
            self.at += 1
            self.quoted, before = True, self.quoted
            self.substituted("`")
            self.quoted = before
        elif self.peek(3) == "$((":
            self.at += 3
            self.arithmetic()
        elif self.peek(2) == "$(":
            self.at += 2
            depth = self.depth
            quoted, self.quoted = self.quoted, False
            self.substituted(")")
            self.depth, self.quoted = depth, quoted
        elif self.peek(2) == "${":
            self.at += 2
            if braced := _BRACED.match(self.text, self.at):
                self.expansions.append((braced[1], self.at - 2))
            self.skip_to("}")
        elif self.match(_ANSI):
            pass
        elif name := self.match(_NAME):
            self.expansions.append((name[1:], self.at - len(name)))
        else:
            self.at += 1
            return True
        return False

    def arithmetic(self) -> None:
        """Pass an arithmetic expression and the `))` that ends it."""
        begin = self.at
        self.skip_to("))")
        self.arithmetics.append((begin, self.at))

    def substituted(self, closing: str) -> None:
        """Read the commands whose output becomes part of a word."""
        self.substitutions += 1
        self.commands_until(closing)
        self.substitutions -= 1

    def skip_to(self, closing: str) -> None:
        """Pass everything up to and with this; strings and brackets are passed whole."""
        opening = {"))": "(", "}": "{"}.get(closing, "")
        while self.at < len(self.text):
            character = self.peek()
            if self.text.startswith(closing, self.at):
                self.at += len(closing)
                return
            if character == "\\":
                self.at += 2
            elif character == "'" and closing != "))":
                end = self.text.find("'", self.at + 1)
                self.at = len(self.text) if end < 0 else end + 1
            elif character == '"':
                self.double()
            elif character in {"$", "`"}:
                self.expansion()
            elif character == opening:
                self.at += 1
                self.skip_to({"(": ")", "{": "}"}[opening])
            else:
                self.at += 1

    def skip_blank_lines(self) -> None:
        """Pass blanks, line ends and comments."""
        while self.at < len(self.text):
            if self.match(_BLANK):
                continue
            if self.peek() == "#":
                self.comment()
            elif self.peek() == "\n":
                self.at += 1
                self.documents()
            else:
                return
