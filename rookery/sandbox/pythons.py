"""Make real Pythons of this machine's own pyenv fit to run elsewhere than where they were built."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from rookery.core.errors import RookeryError
from rookery.sandbox import ids, image

Say = Callable[[str], None]
_LEFT_OUT = {"test", "tests", "__pycache__", "idlelib", "turtledemo"}


def pyenv_root() -> Path | None:
    """Return this machine's pyenv; None where it has none."""
    folder = os.environ.get("PYENV_ROOT")
    for candidate in (*([Path(folder)] if folder else []), Path.home() / ".pyenv"):
        if (candidate / "versions").is_dir() or (candidate / "bin/pyenv").exists():
            return candidate
    return None


def versions(folder: Path | None = None) -> dict[tuple[int, int, int], Path]:
    """Return the CPythons in a folder of them, each named as its version.

    In this machine's pyenv where none is given.
    """
    root = pyenv_root()
    folder = folder or (root / "versions" if root else None)
    places = {}
    for place in sorted(folder.iterdir()) if folder and folder.is_dir() else []:
        numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", place.name)
        if numbers and not place.is_symlink() and (place / "bin" / f"python{numbers[1]}.{numbers[2]}").is_file():
            places[int(numbers[1]), int(numbers[2]), int(numbers[3])] = place
    return places


def relocatable(source: Path, target: Path, base: Path) -> None:
    """Copy a Python so that it runs wherever it is put, with nothing that was installed into it but a fresh pip.

    Args:
        source: Its prefix on this machine (bin/, lib/, include/).
        target: The folder to make.
        base: The image, whose patchelf is used.

    Raises:
        RookeryError: It does not run where it was put.
    """
    minor = next(path.name.removeprefix("python") for path in source.glob("lib/python3.*") if path.is_dir())

    def left_out(folder: str, names: list[str]) -> set[str]:
        here = Path(folder)
        if here == source:
            return {name for name in names if name not in ("bin", "lib", "include")}
        if here == source / "bin":
            return {name for name in names if not re.fullmatch(r"python3?(\.\d+)?m?", name)}
        if here.name == "site-packages":
            return set(names)
        return {name for name in names if name in _LEFT_OUT or name.endswith(".a")}

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True, ignore=left_out)
    for data in target.glob(f"lib/python{minor}/_sysconfigdata*.py"):
        # uv puts the place of installation where it finds /install
        text = data.read_text(encoding="utf-8")
        built_for = re.search(r"'prefix': '([^']+)'", text)
        data.write_text(text.replace(built_for[1] if built_for else str(source), "/install"), encoding="utf-8")
    completed = image.workshop(base, target, ["sh", "-euc", _RELOCATE, "relocate", minor])
    if completed.returncode:
        why = (completed.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RookeryError(f"Can't copy {source} to another folder: {why}")


# Run in the workshop, the Python as /srv/mirrors. Its scripts find it beside themselves, as in uv's own Pythons.
_RELOCATE = r"""
cd /srv/mirrors
patchelf --set-rpath '$ORIGIN/../lib' "bin/python$1"
for library in lib/libpython*.so*; do
  if [ -f "$library" ] && [ ! -L "$library" ]; then patchelf --set-rpath '$ORIGIN' "$library"; fi
done
find lib -path '*/lib-dynload/*.so' -exec patchelf --remove-rpath {} +
mkdir -p "lib/python$1/site-packages"
ln -sf "python$1" bin/python3
ln -sf python3 bin/python
"bin/python$1" -m ensurepip --upgrade --default-pip >/dev/null
for script in bin/*; do
  if [ -L "$script" ] || ! head -c 64 "$script" | grep -q '^#!.*python'; then continue; fi
  {
    printf "%s\n" "#!/bin/sh"
    printf "%s\n" "'''exec' \"\$(dirname -- \"\$(realpath -- \"\$0\")\")/python$1\" \"\$0\" \"\$@\"" "' '''"
    tail -n +2 "$script"
  } >"$script.new"
  chmod 755 "$script.new"
  mv "$script.new" "$script"
done
find . -name __pycache__ -type d -prune -exec rm -r {} +
"bin/python$1" -c 'import ssl, sqlite3, zlib, ctypes, lzma, bz2'
"""


def system_layer(version: str, base: Path, say: Say) -> Path | None:
    """Return a folder to lay over the image that holds a real system Python of an older version.

    Args:
        version: major.minor.
        base: The image.
        say: Called with each step that takes long.

    Returns:
        The folder (usr/bin/pythonVERSION and what it needs); None where this machine's pyenv has no such version and
        none was kept: the image's own Python replaces the site's then.
    """
    kept = [place for place in sorted(image.ROOT.glob(f"system-python-{version}.*")) if place.is_dir()]
    fitting = [place for numbers, place in sorted(versions().items()) if f"{numbers[0]}.{numbers[1]}" == version]
    if not fitting and not kept:
        return None
    layer = image.ROOT / f"system-python-{fitting[-1].name}" if fitting else kept[-1]
    if layer.is_dir():
        if not ids.is_shifted(layer):  # an older rookery's
            ids.shift(layer)
        return layer
    say(f"Copying Python {fitting[-1].name} of this computer, as the system Python of the miniature")
    building = image.ROOT / f".building-{layer.name}"
    shutil.rmtree(building, ignore_errors=True)
    inside = f"usr/local/lib/python{version.replace('.', '')}"
    (building / inside).parent.mkdir(parents=True)
    relocatable(fitting[-1], building / inside, base)
    (building / "usr/bin").mkdir()
    (building / "usr/bin" / f"python{version}").symlink_to(f"/{inside}/bin/python{version}")
    ids.shift(building)
    building.rename(layer)
    return layer
