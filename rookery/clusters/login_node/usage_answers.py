"""The shape of what the program for the use of jobs answers (rookery/remote/slurm/usage.py)."""

from typing import Any

from rookery.clusters.login_node import answers
from rookery.core.shapes import MismatchError, Shape, flag, many, mapping, struct, text, whole

_MOST = 2**53
_pair = many(whole(0, 10**15), 2)


def _group(value: Any) -> tuple[int, int]:
    pair = _pair(value)
    if len(pair) != 2 or not 1 <= pair[1] <= 10**7:
        raise MismatchError("is not a value and a number of tasks")
    return pair[0], pair[1]


_groups = many(_group, 64)
_total = whole(0, _MOST)

RUN = struct(
    {
        "id": answers.number,
        "submitted": answers.moment,
        "end": answers.moment,
        "settled": flag,
        "project": text(f"(?:{answers.NAME})?"),
        "job": text(r"[^\x00-\x1f\x7f]{0,4096}"),
        "script_path": answers.path,
        "name": text(longest=300),
        "counts": mapping(text("[A-Z_]{0,40}", 40), whole(1, 10**7), 100),
        "limit": whole(0, 10**11),
        "asked_kilobytes": whole(0, 10**15),
        "cpus": whole(0, 10**9),
        **dict.fromkeys(
            ("seconds", "kilobytes", "millicores", "killed_at", "killed_after", "late_at", "waits"), _groups
        ),
        "largest_failed": whole(0, 10**15),
        **dict.fromkeys(
            (
                "core_seconds",
                "lost_core_seconds",
                "cpu_seconds",
                "gpu_seconds",
                "megabyte_seconds",
                "measured_megabyte_seconds",
                "used_megabyte_seconds",
                "joules",
            ),
            _total,
        ),
    }
)
"""What is known of a job's use; kept on the laptop in the same form."""

PROGRAMS: dict[str, Shape] = {
    "usage": struct(
        {
            "now": answers.moment,
            "sacct": text(),
            "skipped": whole(0, 10**9),
            "runs": many(RUN, 10_000),
        }
    )
}
"""What the program answers."""
