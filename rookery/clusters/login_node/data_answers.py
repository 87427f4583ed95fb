"""The shapes of what the programs for input data answer (rookery/remote/data)."""

from rookery.clusters.login_node import answers
from rookery.core.shapes import MismatchError, Shape, flag, many, one_of, struct, tagged, text, whole

digest = text("[0-9a-f]{64}")
_size = whole(0, 2**60)
_name = text(longest=4096, raw=True)
_address = text(longest=4096)
_said = struct({}, {"said": text(), "errno": whole(0, 10**4)})

_use = struct({"project": answers.name, "commit": answers.commit, "current": flag})
_version = struct(
    {"digest": digest, "latest": flag, "used": many(_use, 100_000)},
    {
        "kind": one_of("file", "folder"),
        "size": _size,
        "files": whole(0, 10**9),
        "when": answers.when,
        "source": _address,
    },
)


def rows(*shapes: Shape) -> Shape:
    """Accept a list of short lists, each with values of these shapes."""

    def row(value: object) -> list[object]:
        if not isinstance(value, list) or len(value) != len(shapes):
            raise MismatchError(f"is not a list of {len(shapes)}")
        return [shape(part) for shape, part in zip(shapes, value, strict=True)]

    return many(row)


_listed = struct(
    {
        "folder": answers.path,
        "storage": answers.path,
        "free": _size,
        "free_files": whole(0, 2**62),
        "sets": many(
            struct({"path": answers.path, "versions": many(_version, 10_000), "partial": _size, "source": _address}),
            10_000,
        ),
    },
    {"staged": rows(_name, _size, digest), "begun": rows(_name, _size), "known": rows(_size, digest)},
)
"""What is there. `staged` are files that have arrived whole, `begun` in part, `known` those of any version."""

_done = struct({"digest": digest})
_verified = struct(
    {
        "sets": many(
            struct(
                {
                    "path": answers.path,
                    "digest": digest,
                    "files": whole(0, 10**9),
                    "size": _size,
                    "faults": rows(_name, one_of("changed", "missing", "added", "manifest")),
                    "count": whole(0, 10**9),
                }
            ),
            10_000,
        )
    }
)
_job = struct({"number": answers.number, "commit": answers.commit})
_removed = struct(
    {
        "removed": many(struct({"path": answers.path, "digest": digest, "size": _size}), 10_000),
        "kept": many(
            struct({"path": answers.path, "digest": digest, "used": many(_use, 10_000), "jobs": many(_job, 10_000)}),
            10_000,
        ),
        "partial": many(answers.path, 10_000),
    }
)

PROGRAMS: dict[str, Shape] = {
    "data.look": tagged("state", {"listed": _listed}, _said),
    "data.receive": tagged("state", {"done": _done, "again": struct({"paths": many(_name)})}, _said),
    "data.verify": tagged("state", {"verified": _verified}, _said),
    "data.remove": tagged("state", {"removed": _removed, "used": _removed}, _said),
    "data.download": tagged(
        "state",
        {"done": struct({"digest": digest, "size": _size, "came": _size}), "other": struct({"digest": digest})},
        _said,
    ),
}
"""What each program of rookery/remote/data answers."""
