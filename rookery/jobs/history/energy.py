"""Estimate the energy that runs took, and the CO2 of it, by the method of Green Algorithms.

Lannelongue, Grealey and Inouye, "Green Algorithms: Quantifying the Carbon Footprint of Computation", Advanced Science
2021, https://doi.org/10.1002/advs.202100707: cores, memory and GPUs that a run had times their power, times what the
building takes besides (PUE). Its default values are for a processor, a GPU and a data centre of unknown kind; a
profile gives better ones (cluster_energy).
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.jobs.history.run_use import RunUse

_JOULES = 3_600_000
"""Joules of a kilowatt hour."""


@dataclass(frozen=True)
class PowerModel:
    """What a cluster's parts take.

    Attributes:
        core_watts: Watts of a core.
        gpu_watts: Watts of a GPU.
        memory_watts: Watts of a GiB of memory.
        pue: Energy of the whole data centre, for each kWh of its computers.
        grams_per_kwh: Grams of CO2 equivalent of a kWh of electricity there.
    """

    core_watts: float = 12.0
    gpu_watts: float = 200.0
    memory_watts: float = 0.3725
    pue: float = 1.67
    grams_per_kwh: float = 475.0

    @property
    def assumptions(self) -> str:
        """The values, in words."""
        return (
            f"{self.core_watts:g} W a core, {self.gpu_watts:g} W a GPU, {self.memory_watts:g} W a GiB of memory, "
            f"times {self.pue:g} for the data centre; {self.grams_per_kwh:g} g CO2e a kWh"
        )


def of_cluster(cluster: "Cluster") -> PowerModel:
    """Return a cluster's values, as far as its profile has them."""
    given = cluster.data.get("cluster_energy") or {}
    return PowerModel(**{each.name: float(given[each.name]) for each in fields(PowerModel) if each.name in given})


def kilowatt_hours(run: "RunUse", model: PowerModel) -> float:
    """Return the energy of a run: as Slurm measured it at the nodes where the site does that, else an estimate.

    Cores and memory that a run had count whole, whatever it did with them: nobody else could use them.

    Args:
        run: The run.
        model: The cluster's values.
    """
    if run.joules:
        return run.joules / _JOULES * model.pue
    watts = run.core_seconds * model.core_watts + run.gpu_seconds * model.gpu_watts
    watts += run.megabyte_seconds / 1024 * model.memory_watts
    return watts / _JOULES * model.pue
