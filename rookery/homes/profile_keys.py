"""The command `clusters.keys`: the keys of a cluster's profile and what they mean, from the schema."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from rookery.clusters.config import profile, schema
from rookery.core import tables
from rookery.core.console import show as show_line
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.homes.listing import GROUPS
from rookery.homes.options import ClustersKeysOptions

if TYPE_CHECKING:
    from rich.text import Text

_KINDS: Final = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true or false",
    "dict": "mapping",
    "list": "list",
}


@dataclass(frozen=True)
class ProfileKey:
    """A key of a profile.

    Attributes:
        name: The key, those that it is inside of before it: cluster_partitions[].name.
        kind: What its value is, in a word.
        required: Whether a profile, or the mapping that it is in, must have it.
        choices: The values that it may have; empty for any.
        meaning: What it means.
        group: The group of keys that it belongs to.
    """

    name: str
    kind: str
    required: bool
    choices: tuple[str, ...]
    meaning: str
    group: str

    @property
    def is_inner(self) -> bool:
        """Whether it is inside of another key."""
        return "." in self.name


def run(options: ClustersKeysOptions) -> int:
    """Print the keys.

    Raises:
        RookeryError: No key has that in its name.
    """
    known = list(every())
    word = options.key.casefold()
    chosen = [key for key in known if word in key.name.casefold()] if word else known
    if not chosen:
        names = [key.name.removeprefix(profile.PREFIX) for key in known if not key.is_inner]
        raise RookeryError(
            f"No key of a profile has {options.key!r} in its name{schema.nearest(options.key, names)}.",
            hint=f"{invocation()} clusters.keys",
        )
    if options.json:
        print(json.dumps([asdict(key) for key in chosen], indent=2))
    else:
        _print(chosen if word else [key for key in chosen if not key.is_inner])
    return 0


def every() -> Iterator[ProfileKey]:
    """Yield all keys of the schema, in its order, each before those inside it."""
    groups = {profile.PREFIX + key: group for group, keys in GROUPS.items() for key in keys.split()}
    for name, spec in schema.options().items():
        yield from _keys(name, spec, groups[name])


def _keys(name: str, spec: Mapping[str, Any], group: str) -> Iterator[ProfileKey]:
    kind, elements = str(spec["type"]), str(spec.get("elements", ""))
    words = f"list of {_KINDS[elements]}{'s' * (elements == 'dict')}" if elements else _KINDS[kind]
    choices = tuple(map(str, spec.get("choices", ())))
    yield ProfileKey(name, words, bool(spec.get("required")), choices, _plain(spec["description"]), group)
    for inner, inner_spec in spec.get("options", {}).items():
        yield from _keys(f"{name}{'[]' * (kind == 'list')}.{inner}", inner_spec, group)


def _plain(description: str | Sequence[str]) -> str:
    text = description if isinstance(description, str) else " ".join(description)
    return re.sub(r"[A-Z]\(([^)]*)\)", r"`\1`", text)  # Ansible's mark for code


def _print(keys: Sequence[ProfileKey]) -> None:
    output = tables.console()
    for group in dict.fromkeys(key.group for key in keys):
        show_line(output, f"\n{group}", "bold")
        tables.show(("=key", "value", "~meaning"), [_row(key) for key in keys if key.group == group])


def _row(key: ProfileKey) -> list["Text"]:
    from rich.text import Text

    meaning = f"{key.meaning} One of {', '.join(key.choices)}." if key.choices else key.meaning
    kind = f"{key.kind}, required" if key.required else key.kind
    return [Text(key.name), Text(kind), Text(meaning)]
