"""Find the commands of a shell script, without text that only looks like one: comments, strings, here-documents.

A scanner, no interpreter: it follows quotes, `$(…)`, `${…}`, arithmetic, here-documents, `case` and `[[ … ]]` as bash
and sh read them, and yields the simple commands in the order in which they are written. Text that no shell would take
is skipped: it never raises.
"""

import re
from dataclasses import dataclass, field

from rookery.jobs.lint.script.tokens import ShellWord, Words

_REDIRECTION = re.compile(r"(?:\d+|\{\w+\})?(?:&>>?|<<<|<<-|<<|<>|>>|>&|<&|>\||[<>])")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^]]*\])?\+?=")
_ESAC = re.compile(r"esac(?![^\s;&|)#])")
_INTO = frozenset({"then", "do", "else", "{", "!", "time", "coproc"})
"""Reserved words after which a command begins."""
_CONDITIONAL = frozenset({"if", "elif", "while", "until"})
_TIME_OPTION = re.compile(r"[ \t]+-p(?=\s)")
_OPENS, _CLOSES = frozenset({"if", "case"}), frozenset({"fi", "esac"})
_AFTER = frozenset({"fi", "esac", "done", "}"})
"""Reserved words that end a compound command: redirections may follow, no arguments."""


@dataclass
class ShellCommand:
    """A simple command.

    Attributes:
        words: Its name and arguments; redirections and assignments left out.
        start: Where it begins in the script.
        line: Its line, from 1 on.
        maybe: Whether it runs only where something holds: within `if` or `case`, after `&&` or `||`.
        background: Whether it is started with `&`.
        documents: The here-documents it is given, and where each begins in the script.
        inputs: The files it reads as standard input (`< FILE`).
        outputs: The files that its output is written to (`> FILE`).
        function: The function of the script that it is part of; "" where it is part of none.
        inner: Whether its output becomes part of another command: `$(…)` or backquotes.
        subshell: Whether it is within `(…)`: what it does to its shell ends with that.
        tested: Whether the script goes on where it fails: it is a condition, or something after `||` replaces it.
    """

    words: list[ShellWord]
    start: int
    line: int
    maybe: bool = False
    background: bool = False
    documents: list[tuple[str, int]] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    function: str = ""
    inner: bool = False
    subshell: bool = False
    tested: bool = False

    @property
    def name(self) -> str:
        """What is run, without the folder; "" where variables decide it."""
        return self.words[0].text.rpartition("/")[2] if self.words[0].fixed else ""

    @property
    def arguments(self) -> list[str]:
        """What it is given."""
        return [word.text for word in self.words[1:]]


@dataclass(frozen=True)
class ShellScript:
    """The contents of a shell script.

    Attributes:
        commands: In the order in which they are written.
        comments: Where each comment begins that starts a line, blanks before it aside.
        functions: The names it gives to functions and aliases of its own.
        variables: The names that are expanded anywhere in it.
        expansions: Each place where a variable or a parameter is expanded: its name, and where its `$` is.
        arithmetic: Where each arithmetic expression begins and ends: its names need no `$`.
        assignments: Each `NAME=VALUE` before or without a command: the word, with the `=` in it.
        remarks: Where each comment begins and ends, those behind commands too.
    """

    commands: tuple[ShellCommand, ...]
    comments: tuple[int, ...]
    functions: frozenset[str]
    variables: frozenset[str]
    expansions: tuple[tuple[str, int], ...] = ()
    assignments: tuple[ShellWord, ...] = ()
    arithmetic: tuple[tuple[int, int], ...] = ()
    remarks: tuple[tuple[int, int], ...] = ()


def read(text: str) -> ShellScript:
    """Return the commands of a script.

    Args:
        text: The script, with Unix line ends.
    """
    scanner = _Scanner(text)
    try:
        scanner.commands_until("")
    except RecursionError:  # brackets within brackets, hundreds deep: what was found so far
        scanner.at = len(text)
    commands = sorted((command for command in scanner.commands if command.words), key=lambda command: command.start)
    aliases = {
        argument.partition("=")[0] for command in commands if command.name == "alias" for argument in command.arguments
    }
    return ShellScript(
        tuple(commands),
        tuple(scanner.comments),
        frozenset(scanner.functions | aliases),
        frozenset(name for name, _ in scanner.expansions),
        tuple(scanner.expansions),
        tuple(scanner.assignments),
        tuple(scanner.arithmetics),
        tuple(scanner.remarks),
    )


class _Scanner(Words):
    """A scanner that goes through a script once, and collects its commands."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.commands: list[ShellCommand] = []
        self.functions: set[str] = set()
        self.assignments: list[ShellWord] = []
        self.named = ""  # a function whose body comes next
        self.bodies: list[str] = []  # for each `{` that is open, the function that it is part of
        self.waiting: list[tuple[str, bool, bool, ShellCommand]] = []
        self.subshells = 0  # `(…)` within each other

    # --- commands ---

    def commands_until(self, closing: str) -> bool:
        """Read all commands up to what ends them, or to the end of the text.

        Args:
            closing: `)` or a backquote, which is passed; `;;` for those of a case's pattern; "" for the end.

        Returns:
            Whether it was found; False too where a case ends with `esac`, which is left to be read.
        """
        command, depth = self.fresh(), self.depth
        chain: list[ShellCommand] = []
        while self.at < len(self.text):
            self.blanks()
            character = self.peek()
            if self.closes(character, closing):
                self.end(command)
                return True
            if closing == ";;" and self.depth == depth and not command.words and _ESAC.match(self.text, self.at):
                return False
            if character == "#":
                self.comment()
            elif character in {"\n", ";", "&", "|"} and self.peek(2) != "&>":
                chain, condition = self.separator(command, chain), command.tested
                command = self.fresh()
                command.maybe = bool(chain) or self.depth > 0
                command.tested = bool(chain) and condition
            elif character == "(":
                command = self.bracket(command)
            elif character == ")":  # one that nothing opened
                self.at += 1
                command = self.fresh()
            elif redirection := self.match(_REDIRECTION):
                self.redirection(redirection, command)
            elif self.at < len(self.text):
                command = self.word_of(command)
        self.end(command)
        return False

    def closes(self, character: str, closing: str) -> bool:
        """Pass what ends these commands, where it stands here; return whether it does."""
        if character and character == closing:
            self.at += 1
        elif closing == ";;" and self.peek(2) in {";;", ";&"}:
            self.at += 3 if self.peek(3) == ";;&" else 2
        else:
            return False
        return True

    def fresh(self) -> ShellCommand:
        function = self.bodies[-1] if self.bodies else ""
        command = ShellCommand([], self.at, 0, maybe=self.depth > 0, function=function, inner=self.substitutions > 0)
        command.subshell = self.subshells > 0
        return command

    def end(self, command: ShellCommand) -> None:
        if command.words:
            command.start = command.words[0].start
            command.line = self.line(command.start)
            self.commands.append(command)

    def separator(self, command: ShellCommand, chain: list[ShellCommand]) -> list[ShellCommand]:
        """Pass what is between two commands.

        Return those before the next one on whose success or failure it depends; the chain is those of this command.
        """
        two = self.peek(2)
        double = two in {"&&", "||", ";;", "|&", ";&"}
        command.background = two[0] == "&" and two != "&&"
        self.at += 2 if double else 1
        self.end(command)
        if two[0] == "\n":
            self.documents()
        if two == "||":
            for other in (*chain, command):
                other.tested = True
            return [command]
        if two == "&&":
            chain.append(command)
            return chain
        return chain if two[0] == "|" else []

    def bracket(self, command: ShellCommand) -> ShellCommand:
        """Read a `(`: arithmetic, a function's name before it, or a subshell."""
        if self.peek(2) == "((" and not command.words:
            self.at += 2
            self.arithmetic()
        elif command.words:
            self.name_function(command.words[-1].text)
            self.at += 1
            self.blanks()
            self.at += self.peek() == ")"
            return self.fresh()
        else:
            self.at += 1
            self.subshells += 1
            self.commands_until(")")
            self.subshells -= 1
        return command

    def word_of(self, command: ShellCommand) -> ShellCommand:
        """Return the next word, where it is one of a command's or a reserved one."""
        word = self.word()
        if command.words:
            command.words.append(word)
            return command
        raw = self.text[word.start : word.end]
        if raw in _OPENS:
            self.depth += 1
        elif raw in _CLOSES:
            self.depth = max(0, self.depth - 1)
        self.brace(raw)
        if raw in _CONDITIONAL or raw in _INTO or raw in _AFTER:
            return self.after(raw)
        if raw == "case":
            self.case()
        elif raw in {"for", "select"}:
            self.head()
        elif raw == "[[":
            self.skip_to("]]")
        elif raw == "function":
            self.blanks()
            self.name_function(self.word().text)
        elif _ASSIGNMENT.match(raw):
            self.assignments.append(word)
        else:
            command.words.append(word)
        return command

    def after(self, raw: str) -> ShellCommand:
        """Return the command that begins after a reserved word."""
        if raw == "time":
            self.match(_TIME_OPTION)
        command = self.fresh()
        command.tested = raw in _CONDITIONAL or raw == "!"
        return command

    def name_function(self, name: str) -> None:
        """Note that the script defines a function, whose body follows."""
        self.functions.add(name)
        self.named = name

    def brace(self, raw: str) -> None:
        """Follow the braces around functions' bodies and groups of commands."""
        if raw == "{":
            self.bodies.append(self.named or (self.bodies[-1] if self.bodies else ""))
            self.named = ""
        elif raw == "}" and self.bodies:
            self.bodies.pop()

    def head(self) -> None:
        """Pass everything between `for` and its `;` or the end of the line."""
        while self.at < len(self.text) and self.peek() not in {"\n", ";"}:
            if self.blanks():
                continue
            if self.peek(2) == "((":
                self.at += 2
                self.arithmetic()
            elif self.peek() in {"(", ")", "<", ">", "&", "|", "#"}:
                self.at += 1
            else:
                self.word()

    def case(self) -> None:
        """Read `case WORD in`, and each of its patterns with the commands after it; `esac` is left to be read."""
        self.blanks()
        self.word()
        self.skip_blank_lines()
        if self.text.startswith("in", self.at):
            self.at += 2
        while self.at < len(self.text):
            self.skip_blank_lines()
            if _ESAC.match(self.text, self.at):
                return
            while self.at < len(self.text) and self.peek() != ")":  # a pattern
                before = self.at
                self.blanks()
                if self.peek() in {"(", "|", "\n", "#", "&", ";", "<", ">"}:
                    self.at += 1
                elif self.peek() != ")":
                    self.word()
                if self.at == before:
                    self.at += 1
            self.at += 1
            if not self.commands_until(";;"):
                return

    # --- redirections and here-documents ---

    def redirection(self, operator: str, command: ShellCommand) -> None:
        self.blanks()
        if self.peek() == "(" and operator in {"<", ">"}:  # <(command)
            self.at += 1
            self.commands_until(")")
            return
        if self.peek() in {"\n", ""}:
            return
        target = self.word()
        if operator.endswith("<<<"):  # a string, no file and no here-document
            return
        if operator.endswith(("<<", "<<-")):
            quoted = self.text[target.start : target.end] != target.text
            self.waiting.append((target.text, operator.endswith("-"), quoted, command))
        elif operator.endswith("<") and target.fixed:
            command.inputs.append(target.text)
        elif operator.endswith((">", ">>", ">|")) and target.fixed:
            command.outputs.append(target.text)

    def documents(self) -> None:
        """Pass the here-documents that begin on this line."""
        waiting, self.waiting = self.waiting, []
        for delimiter, tabs, quoted, command in waiting:
            begin = self.at
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                start, self.at = self.at, min(end + 1, len(self.text))
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
            else:
                start = self.at
            body = self.text[begin:start]
            command.documents.append((body, begin))
            if not quoted:
                self.expansions += [(m[1], begin + m.start()) for m in re.finditer(r"(?<!\\)\$\{?([A-Za-z_]\w*)", body)]
