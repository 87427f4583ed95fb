"""Lines of .gitignore, as git itself reads them."""

import os
import subprocess
from pathlib import Path

from rookery.projects import gitignore

NAMES = ["data", "a*b", "a?b", "[ab]", "back\\slash", "#run", "!run", "end ", " begin", "deep/in it", "Größe.csv"]
OTHERS = ["data2", "axb", "a", "b", "ab", "run", "end", "begin", "x/data"]


def ignored(root: Path, lines: list[str]) -> set[str]:
    (root / ".gitignore").write_text("".join(f"{line}\n" for line in lines))
    names = "".join(f"{name}/file\0{name}\0" for name in (*NAMES, *OTHERS))
    command = ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--stdin", "-z"]
    out = subprocess.run(command, cwd=root, input=os.fsencode(names), capture_output=True, check=True).stdout
    return {os.fsdecode(name) for name in out.split(b"\0") if name}


def test_a_line_makes_git_ignore_a_path_and_no_other(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    files = ignored(tmp_path, [gitignore.line(name) for name in NAMES])
    assert files == {*NAMES, *(f"{name}/file" for name in NAMES)}
    inside = ignored(tmp_path, [gitignore.line(name, is_folder=True) for name in NAMES])
    assert inside == {f"{name}/file" for name in NAMES}, "a file of that name is none of it"
