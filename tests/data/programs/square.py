"""Write the square of a number into a file, as one task of an array."""

import sys
from pathlib import Path

number, path = int(sys.argv[1]), Path(sys.argv[2])
path.write_text(f"{number * number}\n")
