"""RK0: comments by which a user overrules lint: `# rookery: ignore RK605, and why`.

Behind a command or an option, such a comment is for that line; on a line of its own, for the next command; above the
first command, for the whole script. Programs in Python and R have the same comments.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.rules import table as rules
from rookery.jobs.lint.script.context import Context
from rookery.projects.scripts import directives

_MARK = re.compile(r"(?:^|(?<=\s))#[ \t]*rookery:[ \t]*ignore\b[ \t:=]*(?P<rest>.*)", re.IGNORECASE)
_CODES = re.compile(r"RK\w*(?:[ \t]*[, \t][ \t]*RK\w*)*", re.IGNORECASE)
_NEAR = re.compile(r"#[ \t]*rookery:")
_KNOWN = frozenset(rule.code for rule in rules.RULES)
_ABOUT = frozenset({"RK001", "RK002"})
"""The rules on these comments."""


@dataclass(frozen=True)
class Ignored:
    """A finding that a comment overrules.

    Attributes:
        finding: The finding.
        reason: Why, as the comment says; "" where it does not.
    """

    finding: Finding
    reason: str


@dataclass(frozen=True)
class _Comment:
    """A comment that overrules lint.

    Attributes:
        line: Its line, from 1 on.
        codes: The rules, in capitals.
        reason: What it says besides.
        lines: The lines that it is for; None for the whole file.
    """

    line: int
    codes: tuple[str, ...]
    reason: str
    lines: range | None

    def covers(self, code: str, line: int) -> bool:
        """Return whether it overrules a rule on a line."""
        return code in self.codes and (self.lines is None or line in self.lines)


def applied(
    findings: Sequence[Finding], script: Context, elsewhere: Callable[[], bool]
) -> tuple[list[Finding], list[Ignored]]:
    """Return the findings that are left, with those about the comments themselves, and those that are overruled.

    Args:
        findings: What was found.
        script: The script; comments in other files of its project are for findings in them.
        elsewhere: Whether the script is for other clusters, too, whose findings a comment may be for.
    """
    comments = _comments(script.text, script)
    paths = {finding.path for finding in findings} - {script.path}
    others = {other: _comments(script.files(other) or "") for other in paths}
    left: list[Finding] = []
    ignored: list[Ignored] = []
    used: set[tuple[int, str]] = set()

    def overrule(found: Iterable[Finding]) -> None:
        for finding in found:
            is_own = finding.path == script.path
            places = [each for each in comments if is_own or each.lines is None]
            own = [each for each in places if each.covers(finding.code, finding.line)]
            their = [each for each in others.get(finding.path, []) if each.covers(finding.code, finding.line)]
            used.update((comment.line, finding.code) for comment in own)
            if comment := next(iter([*own, *their]), None):
                ignored.append(Ignored(finding, comment.reason))
            else:
                left.append(finding)

    overrule(findings)
    overrule(list(_of_comments(comments, script.path, used, elsewhere, about=False)))
    left += _of_comments(comments, script.path, used, elsewhere, about=True)
    return left, ignored


def _of_comments(
    comments: Sequence[_Comment], path: str, used: set[tuple[int, str]], elsewhere: Callable[[], bool], *, about: bool
) -> Iterator[Finding]:
    """Yield findings for comments that overrule nothing.

    Args:
        comments: The comments.
        path: The script's path.
        used: The line of each comment, with each code that it overrules.
        elsewhere: As for `applied`.
        about: Whether only the rules on such comments are looked at, or all the others.
    """
    for comment in comments:
        if not comment.codes and not about:
            why = "This comment names no rule, so it has no effect: write `# rookery: ignore RK605`, and the reason."
            yield Finding("RK001", path, comment.line, "warning", why)
        for code in (code for code in comment.codes if (code in _ABOUT) == about):
            alone = len(comment.codes) == 1
            if code not in _KNOWN:
                no_effect = "this comment" if alone else "the word"
                why = f"lint has no rule {code}, so {no_effect} has no effect. `rookery docs lint-rules` lists all."
                yield Finding("RK001", path, comment.line, "warning", why)
            elif (comment.line, code) not in used and not elsewhere():
                place = "the script" if comment.lines is None else "that line"
                way_out = "so this comment has no effect. Remove it." if alone else "so remove it from this comment."
                yield Finding("RK002", path, comment.line, "warning", f"lint finds no {code} in {place}, {way_out}")


def _comments(text: str, script: Context | None = None) -> list[_Comment]:
    """Return the comments of a file that overrule lint.

    Args:
        text: The file.
        script: The job script, where it is that one: text in its strings and here-documents is no comment.
    """
    if not _NEAR.search(text):
        return []
    lines = text.split("\n")
    end = script.directives.end if script else directives.read(text).end
    matches = [(match, number) for number, line in enumerate(lines, 1) if (match := _mark(line, number, script))]
    return [_comment(match, number, lines, end) for match, number in matches]


def _mark(line: str, number: int, script: Context | None) -> re.Match[str] | None:
    """Return where a comment that overrules lint begins in a line."""
    match = _MARK.search(line)
    while match and script and script.is_shell and not script.is_remark(script.starts[number - 1] + match.start()):
        match = _MARK.search(line, match.start() + 1)
    return match


def _comment(match: re.Match[str], number: int, lines: Sequence[str], end: int) -> _Comment:
    codes = _CODES.match(match["rest"])
    names = tuple(dict.fromkeys(re.findall(r"\w+", codes[0].upper()))) if codes else ()
    reason = match["rest"][codes.end() if codes else 0 :].strip(" \t,:;-()#")
    if match.string[: match.start()].strip():
        return _Comment(number, names, reason, _command(lines, number))
    if number < end:
        return _Comment(number, names, reason, None)
    following = (after for after in range(number + 1, len(lines) + 1) if not _is_passed_over(lines[after - 1]))
    return _Comment(number, names, reason, _command(lines, next(following, number)))


def _is_passed_over(line: str) -> bool:
    return not line.strip() or (line.lstrip().startswith("#") and not line.startswith(directives.MARK))


def _command(lines: Sequence[str], number: int) -> range:
    """Return the lines of the command that a line is part of: a backslash at the end of a line continues it."""
    first = last = number
    while first > 1 and lines[first - 2].endswith("\\"):
        first -= 1
    while last < len(lines) and lines[last - 1].endswith("\\"):
        last += 1
    return range(first, last + 1)
