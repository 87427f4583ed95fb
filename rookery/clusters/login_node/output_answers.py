"""The shape of what the program that watches a job's outputs answers (rookery/remote/slurm/new_outputs.py)."""

from rookery.clusters.login_node.data_answers import rows
from rookery.core.shapes import Shape, struct, tagged, text, whole

_path = text(longest=4096, raw=True)
_size = whole(0, 2**60)
_mtime = whole(-(2**31) * 10**9, 15 * 10**18)
_piece = text(r"[A-Za-z0-9+/]*={0,2}", longest=1 << 20)

PROGRAMS: dict[str, Shape] = {
    "new_outputs": tagged(
        "state",
        {
            "running": struct({"files": rows(_path, _size, _mtime), "logs": rows(_path, _size, _size, _mtime, _piece)}),
            "ended": struct({}),
        },
        struct({}),
    )
}
"""`files` are whole files: path, size, time. `logs` are pieces: path, where it begins and ends, time, base64."""
