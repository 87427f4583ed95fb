"""Resolve `--cluster` and `--tags` to known clusters and roles, or raise an error that lists those."""

from rookery.clusters.config import profile, schema
from rookery.clusters.config.roles import TAGS
from rookery.core import near_names, typed_command
from rookery.core.errors import RookeryError


def yours(*, sandbox: bool = False) -> list[str]:
    """Return the clusters where the user has a username, or the miniatures that run.

    Args:
        sandbox: Whether miniatures are meant.
    """
    if sandbox:
        from rookery.sandbox.registry import listing  # noqa: PLC0415 start-up

        return [miniature.name for miniature in listing() if miniature.running]
    settings_of = {name: profile.explain(name) for name in profile.names()}
    return [
        name
        for name, settings in settings_of.items()
        if any(setting.key == "cluster_user" and setting.value for setting in settings)
    ]


def clusters(text: str, *, sandbox: bool = False) -> list[str]:
    """Return the clusters that `--cluster` names, each once, in its order.

    `all` are those where the user has a username, or the miniatures that run; all there are, where there is none.

    Args:
        text: The value of `--cluster`.
        sandbox: Whether miniatures are meant.

    Raises:
        RookeryError: None is named, or one that is not known.
    """
    known = profile.names()
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        example = known[0] if known else "NAME"
        raise RookeryError(
            f"Missing argument CLUSTER. Known clusters: {', '.join(known)}.",
            hint=typed_command.again(argument=example, without=("--cluster",)),
        )
    if "all" in names:
        return yours(sandbox=sandbox) or known
    for name in names:
        profile.load(name, own_ssh=False)  # raises for an unknown name or a wrong profile, before anything is done
    return names


def roles(text: str) -> tuple[str, ...]:
    """Return the roles that `--tags` names.

    Raises:
        RookeryError: One is not known.
    """
    tags = tuple(part.strip() for part in text.split(",") if part.strip())
    for tag in tags:
        if tag not in TAGS:
            near = near_names.closest(tag, TAGS)
            meant = (
                ",".join(near if part == tag else part for part in tags) if near else "ROLE, with one of these roles"
            )
            raise RookeryError(
                f"Unknown role {tag!r}{schema.nearest(tag, TAGS)}. Known roles: {', '.join(TAGS)}.",
                hint=f"use --tags {meant}",
            )
    return tags
