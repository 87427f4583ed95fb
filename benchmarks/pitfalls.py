"""Measure slow and fast ways to write the same thing, in Python and R: the pairs of docs/explanation/pitfalls.md.

uv run --no-project --with numpy,scipy benchmarks/pitfalls.py [RSCRIPT-COMMAND]

Each way runs three times in a process of its own, and the fastest run counts. Both ways must give the same number.
"""

import math
import shlex
import subprocess
import sys

PYTHON = {
    "vectorise": (
        "import numpy as np\nx = np.arange(2_000_000) / 2e6",
        "total = 0.0\nfor value in x:\n    total += value * value",
        "total = (x * x).sum()",
    ),
    "nested loops": (
        "import numpy as np\nx = np.arange(150 * 150).reshape(150, 150) / 22500\na = x.tolist()",
        "n = 150\nc = [[0.0] * n for _ in range(n)]\nfor i in range(n):\n    for j in range(n):\n"
        "        for k in range(n):\n            c[i][j] += a[i][k] * a[k][j]\ntotal = sum(map(sum, c))",
        "total = (x @ x).sum()",
    ),
    "growing a result": (
        "import numpy as np",
        "r = np.empty(0)\nfor i in range(40_000):\n    r = np.append(r, i * 0.5)\ntotal = r.sum()",
        "r = np.empty(40_000)\nfor i in range(40_000):\n    r[i] = i * 0.5\ntotal = r.sum()",
    ),
    "look-up": (
        "keys = list(range(5_000))\nindex = {key: i for i, key in enumerate(keys)}",
        "total = 0\nfor key in keys:\n    total += keys.index(key)",
        "total = 0\nfor key in keys:\n    total += index[key]",
    ),
    "sparse matrix": (
        "import numpy as np, scipy.sparse as sp\nn = 3000\n"
        "s = sp.diags([np.ones(n - 1), 2 * np.ones(n), np.ones(n - 1)], [-1, 0, 1]).tocsr()\nd = s.toarray()\n"
        "v = np.ones(n)",
        "for _ in range(20):\n    w = d @ v\ntotal = w.sum()",
        "for _ in range(20):\n    w = s @ v\ntotal = w.sum()",
    ),
    "stiff equation": (
        "from math import cos\nfrom scipy.integrate import solve_ivp\n"
        "def solve(method):\n    found = solve_ivp(lambda t, y: -5000 * (y - cos(t)), (0, 3), [0.0], method=method)\n"
        "    return round(found.y[0, -1], 1)",
        "total = solve('RK45')",
        "total = solve('BDF')",
    ),
    "running time": (
        "x = [(i * 7919) % 3001 for i in range(3000)]",
        "total = sum(any(x[i] == x[j] for j in range(i)) for i in range(len(x)))",
        "total = len(x) - len(set(x))",
    ),
}
"""For each pitfall: what is prepared, the slow way, the fast way. Each leaves its result in `total`."""

R = {
    "vectorise": (
        "x <- (0:1999999) / 2e6",
        "total <- 0; for (value in x) total <- total + value * value",
        "total <- sum(x * x)",
    ),
    "nested loops": (
        "n <- 150; x <- matrix((0:(n * n - 1)) / 22500, n, byrow = TRUE)",
        "c <- matrix(0, n, n)\nfor (i in 1:n) for (j in 1:n) for (k in 1:n) c[i, j] <- c[i, j] + x[i, k] * x[k, j]\n"
        "total <- sum(c)",
        "total <- sum(x %*% x)",
    ),
    "growing a result": (
        "add <- function(r, value) c(r, value)",
        "r <- c(); for (i in 1:40000) r <- add(r, i * 0.5); total <- sum(r)",
        "r <- numeric(40000); for (i in 1:40000) r[i] <- i * 0.5; total <- sum(r)",
    ),
    "look-up": (
        "keys <- as.character(1:5000); index <- new.env(); for (i in 1:5000) assign(keys[i], i, envir = index)",
        "total <- 0; for (key in keys) total <- total + which(keys == key)",
        "total <- 0; for (key in keys) total <- total + index[[key]]",
    ),
    "sparse matrix": (
        "library(Matrix); n <- 3000\ns <- bandSparse(n, k = -1:1, diagonals = list(rep(1, n), rep(2, n), rep(1, n)))\n"
        "d <- as.matrix(s); v <- rep(1, n)",
        "for (i in 1:20) w <- d %*% v\ntotal <- sum(w)",
        "for (i in 1:20) w <- s %*% v\ntotal <- sum(w)",
    ),
    "running time": (
        "x <- ((0:2999) * 7919) %% 3001",
        "total <- 0; for (i in 2:3000) for (j in 1:(i - 1)) if (x[i] == x[j]) { total <- total + 1; break }",
        "total <- sum(duplicated(x))",
    ),
}
"""The same for R."""

_PYTHON = """
import time
{setup}
for _ in range(3):
    start = time.perf_counter()
{code}
    print(time.perf_counter() - start, float(total))
"""

_R = """
suppressMessages({{ {setup} }})
for (repetition in 1:3) {{
  start <- Sys.time()
  {code}
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  cat(seconds, format(as.numeric(total), digits = 15), "\\n")
}}
"""


def measure(command: list[str], program: str) -> tuple[float, float]:
    """Run a program; return its fastest time in seconds, and its result."""
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return min(float(row[0]) for row in rows), float(rows[-1][1])


def indented(code: str) -> str:
    """Return code as the body of a loop."""
    return "\n".join(f"    {line}" for line in code.splitlines())


def main(rscript: str = "") -> None:
    """Print a table of all pairs.

    Args:
        rscript: The command that starts R, which reads the program from standard input; "" for Python alone.
    """
    languages = [("Python", [sys.executable, "-"], PYTHON, _PYTHON, indented)]
    if rscript:
        languages.append(("R", shlex.split(rscript), R, _R, lambda code: code))
    print("| pitfall | language | slow | fast | slow / fast |\n| --- | --- | --- | --- | --- |")
    for language, command, pairs, program, form in languages:
        for name, (setup, *ways) in pairs.items():
            (slow, one), (fast, other) = (
                measure(command, program.format(setup=setup, code=form(code))) for code in ways
            )
            if not math.isclose(one, other, rel_tol=1e-6):
                raise SystemExit(f"{name} in {language}: {one} and {other} are not the same")
            print(f"| {name} | {language} | {slow:.3g} s | {fast:.2g} s | {slow / fast:.2g} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
