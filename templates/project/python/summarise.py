"""Summarise the whole simulation, from the table that `combine` made.

python summarise.py [combined.csv]
"""

import csv
import math
import sys
from statistics import mean, stdev

TRUTH = 2.0  # the slope in simulate.py


def summarise(rows):
    """Return the bias of the estimates, its standard error, and the coverage of the 95 % intervals."""
    estimates = [float(row["estimate"]) for row in rows]
    return {
        "replications": len(estimates),
        "bias": mean(estimates) - TRUTH,
        "standard error of the bias": stdev(estimates) / math.sqrt(len(estimates)),
        "mean standard error": mean(float(row["standard_error"]) for row in rows),
        "standard deviation": stdev(estimates),
        "coverage": mean(int(row["covered"]) for row in rows),
    }


if __name__ == "__main__":
    with open(sys.argv[1] if len(sys.argv) > 1 else "combined.csv", newline="") as table:
        for name, value in summarise(list(csv.DictReader(table))).items():
            print(f"{name:<27} {value:.5g}")
