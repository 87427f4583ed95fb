"""Sent to a cluster: read what nvidia-smi and rocm-smi say of the GPUs of a job."""

import json
import re
from typing import Any, Dict, List, NamedTuple, Optional, Set

from rookery.remote.slurm.forms import whole


class Gpu(NamedTuple):
    """A GPU: how busy it is in percent, None where it does not tell; memory used and there is, in kB."""

    busy: Optional[int]
    used: int
    total: int


def of_nvidia(lines: List[str], visible: str) -> List[Gpu]:
    """Read nvidia-smi's lines of index, uuid, utilization.gpu, memory.used and memory.total (MiB), without units.

    A GPU that is shared (MIG) has "[N/A]" for how busy it is (`nvidia-smi --help-query-gpu`). nvidia-smi shows all
    GPUs of the node that the job can open, whatever CUDA_VISIBLE_DEVICES says.

    Args:
        lines: The lines.
        visible: The job's CUDA_VISIBLE_DEVICES; "" for all.
    """
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    chosen = _names(visible)
    return [
        Gpu(_percent(row[2]), whole(row[3]) * 1024, whole(row[4]) * 1024)
        for row in rows
        if len(row) == 5 and (not chosen or row[0] in chosen or any(row[1].startswith(name) for name in chosen))
    ]


def of_rocm(text: str, visible: str) -> List[Gpu]:
    """Read the JSON of `rocm-smi --showuse --showmeminfo vram --json`: an object for each card.

    Args:
        text: The JSON.
        visible: The job's ROCR_VISIBLE_DEVICES; "" for all.
    """
    try:
        cards = json.loads(text)
    except ValueError:
        return []
    chosen, found = _names(visible), []
    for name, card in sorted(cards.items()) if isinstance(cards, dict) else []:
        if not re.match(r"^card[0-9]{1,4}\Z", name) or not isinstance(card, dict):
            continue
        if chosen and name[len("card") :] not in chosen:
            continue
        told: Dict[str, Any] = {key: str(value) for key, value in card.items()}
        used, total = (whole(told.get("VRAM Total %sMemory (B)" % word, "")) // 1024 for word in ("Used ", ""))
        found.append(Gpu(_percent(told.get("GPU use (%)", "")), used, total))
    return found


def _names(visible: str) -> Set[str]:
    return {name.strip() for name in visible.split(",") if name.strip()}


def _percent(text: str) -> Optional[int]:
    return min(whole(text), 100) if re.match(r"^[0-9]{1,15}\Z", text) else None
