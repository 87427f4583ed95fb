"""Do what needs root: make images, mirrors and miniatures, start and end them, one at a time where they collide."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rookery.core import console, locking, startup
from rookery.core.errors import RookeryError
from rookery.sandbox import auth, image, miniature, mirrors, person, plan, pythons, releases
from rookery.sandbox.registry import listing
from rookery.sandbox.releases import OLDEST, DebianRelease

Say = Callable[[str], None]


def carry_out(verb: str, request: Mapping[str, Any], state: Path) -> None:
    """Carry out a request of `rookery.sandbox`.

    Args:
        verb: up or down.
        request: The arguments of `ensure` or `down`; for up also the profiles of the clusters.
        state: The user's folder for it.

    Raises:
        RookeryError: It can't be done; every miniature that could be was started or ended all the same.
    """
    image.own_root()

    def say(text: str) -> None:
        if not request.get("quiet"):
            console.note(text)

    try:
        if verb == "up":
            _up(request, state, say)
        else:
            names, keep = request["names"], bool(request.get("keep"))
            with console.waiting(f"Ending {', '.join(names)}"):
                _side_by_side(names, lambda name: _down(name, state, keep=keep, say=say))
    finally:
        person.hand_over(state)


def _up(request: Mapping[str, Any], state: Path, say: Say) -> None:
    profiles: Mapping[str, Mapping[str, Any]] = request["profiles"]
    wanted = {name: _release(profile, str(request.get("slurm") or "")) for name, profile in profiles.items()}
    needed = [*wanted.values(), *([OLDEST] if request.get("offline_mirrors") else [])]
    with locked("image", say):
        bases = {release: image.ensure(release, yes=bool(request.get("yes")), say=say) for release in set(needed)}
        miniature.forget_orphans()
        image.forget_old(miniature.images_in_use())
        person.ensure_key(state)
    chosen: dict[str, str] = {}
    if request.get("offline_mirrors"):
        with locked("mirrors", say), console.waiting("Making local mirrors"):
            chosen = mirrors.ensure(bases[OLDEST], say)
    entrance = auth.Entrance(**request.get("entrance", {}))

    def start(name: str) -> None:
        with locked(_place(name, state).name, say):
            if name in {known.name for known in listing(state) if known.running}:
                say(f"{name}: already running")
            else:
                base = bases[wanted[name]]
                layer = _python_layer(profiles[name], base, say)
                layers = (*([layer] if layer else []), base)
                miniature.start(name, plan.describe(name, profiles[name], entrance), state, layers, say)
            person.write_inventory(name, state, chosen, profiles[name])

    with console.waiting(f"Starting {', '.join(profiles)}"):
        _side_by_side(list(profiles), start)


def _release(profile: Mapping[str, Any], slurm: str) -> DebianRelease:
    """Return the release that a miniature is made from: what the user asked for, or what is nearest to the cluster."""
    return releases.named(slurm) if slurm else releases.nearest(str(profile.get("cluster_slurm") or ""))


def _place(name: str, state: Path) -> Path:
    """Return the folder of a miniature.

    The one written down, since accounts of several users can be on one miniature.
    """
    written = [Path(known.folder) for known in listing(state) if known.name == name]
    return written[0] if written and written[0].parent == miniature.FOLDER else miniature.folder(name, state)


def _python_layer(profile: Mapping[str, Any], base: Path, say: Say) -> Path | None:
    version = plan.wanted_python(profile)
    if not version:
        return None
    with locked("pythons", say):
        return pythons.system_layer(version, base, say)


def _down(name: str, state: Path, *, keep: bool, say: Say) -> None:
    place = _place(name, state)
    with locked(place.name, say):
        miniature.stop(place, keep=keep)
        person.forget(name, state)
        say(f"{name}: ended")


def _side_by_side(names: list[str], do: Callable[[str], None]) -> None:
    """Call a function for several names side by side; errors are raised after all have ended."""
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        running = {name: pool.submit(do, name) for name in names}
    failed = {name: error for name, done in running.items() if (error := done.exception())}
    for error in failed.values():
        if len(failed) == 1 or not isinstance(error, RookeryError):
            raise error
    if failed:
        message = "; ".join(console.named(name, str(error)) for name, error in failed.items())
        raise RookeryError(message.replace("\n", " "), hint=f"invoke sandbox.up {','.join(failed)}")


def locked(name: str, say: Say) -> AbstractContextManager[None]:
    """Wait until nobody else on this machine works on the same thing; the lock goes with the process."""
    folder = image.ROOT / "locks"
    folder.mkdir(mode=0o700, exist_ok=True)
    waiting = f"Waiting for another rookery command ({name})"
    return locking.waited(folder / f"{name}.lock", lambda: say(waiting))


def _main() -> int:
    """Run as root behind sudo: the arguments are the verb and the file with the request."""
    verb, file = sys.argv[1:]
    try:
        request = json.loads(Path(file).read_text(encoding="utf-8"))
        os.environ.update(request.pop("environment"))
        carry_out(verb, request, Path(os.environ["ROOKERY_SANDBOX_STATE"]))
    except RookeryError as error:
        console.note(*str(error).split("\n"))
        return 1
    return 0


if __name__ == "__main__":
    startup.begin()
    sys.exit(_main())
