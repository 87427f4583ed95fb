"""Find the name that was meant by one with a typing error: what is close in letters may be far in meaning.

`long` is not `gpu-long`, `contest` not `test`, `cpu-short` not `gpu-short`, and an A100 not an A10: only a slip within
a word of four letters or more counts, never one in a number or in a short word.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_FEWEST_LETTERS = 4
"""Letters of a word from which on another letter in it is a slip rather than another word."""

_SUFFIXES = {"q", "g"}
"""Last letters by which sites name a queue, or the nodes with GPUs: `testq`, `smallg`."""


def meant(name: str, known: Iterable[str]) -> str:
    """Return the one known name that this one certainly stands for; "" where there is none, or several.

    It has other capitals, `-` for `_`, or one letter too many, too few, wrong, or in the place of its neighbour.

    Args:
        name: A name that is none of the known ones.
        known: Those that there are.
    """
    names = list(dict.fromkeys(known))
    same = [candidate for candidate in names if _folded(candidate) == _folded(name)]
    slips = [candidate for candidate in names if _is_slip(name, candidate)]
    near = same or slips
    return near[0] if len(near) == 1 else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name to suggest for another one; "" where none, or more than one, is like it.

    Args:
        name: A name that is none of the known ones.
        known: Those that there are.
    """
    names = list(dict.fromkeys(known))
    if certain := meant(name, names):
        return certain
    words = [candidate for candidate in names if _folded(name) in re.split("[-_]", candidate.lower())]
    if words:
        return words[0] if len(words) == 1 else ""
    folded = {_folded(candidate): candidate for candidate in names}
    near = get_close_matches(_folded(name), list(folded), n=2, cutoff=0.85)
    return folded[near[0]] if len(near) == 1 else ""


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def _is_slip(name: str, candidate: str) -> bool:
    """Return whether a name becomes another one by inserting, removing, replacing or swapping one letter."""
    start = next(
        (index for index, (one, other) in enumerate(zip(name, candidate, strict=False)) if one != other),
        min(len(name), len(candidate)),
    )
    rest, wanted = name[start:], candidate[start:]
    if not wanted and rest.lower() in _SUFFIXES:
        return False
    if rest[1:] == wanted[1:] or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]):
        changed = rest[:1] + wanted[:1]
    elif rest[1:] == wanted:
        changed = rest[:1]
    elif rest == wanted[1:]:
        changed = wanted[:1]
    else:
        return False
    if set(changed) <= {"-", "_"}:
        return True
    return changed.isalpha() and len(_word_at(candidate, start)) >= _FEWEST_LETTERS


def _word_at(name: str, index: int) -> str:
    """Return the letters around a place in a name, also those before its end."""
    before = re.search(r"[A-Za-z]*$", name[:index])
    after = re.match(r"[A-Za-z]*", name[index:])
    return f"{before.group() if before else ''}{after.group() if after else ''}"
