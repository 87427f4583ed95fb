"""Share work out over processes, one a core of the job, and tell what each was given."""

import json
import os
import sys
from multiprocessing import Pool


def square(number):
    """What a worker does: the number's square, and the threads it may use."""
    return number * number, os.environ["OMP_NUM_THREADS"]


if __name__ == "__main__":
    with Pool(int(sys.argv[1])) as pool:
        results = pool.map(square, range(100))
    print(json.dumps({"sum": sum(one for one, _ in results), "threads": sorted({threads for _, threads in results})}))
