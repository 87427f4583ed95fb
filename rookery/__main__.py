"""The console script `rookery`, which begins a deploy before it imports what reads the command line."""

import sys

from rookery import _start

_start.begin()

from rookery import _lean  # noqa: E402, F401 what it does is done by importing it


def main() -> None:
    """Run a command."""
    if sys.argv[1:2] == ["deploy"]:
        _deploy()
    from rookery import cli

    cli.main()


def _deploy() -> None:
    """Begin a deploy; where the same was typed here before, do all of it, since Invoke would read the same in it."""
    try:
        _start.interruptible()
        from rookery.project import headstart

        headstart.begin()
        from rookery.project import opening

        typed = opening.begin()
    except KeyboardInterrupt:
        _start.end_at_once()
        print("\nStopped.", file=sys.stderr)
        sys.exit(_start.INTERRUPTED)
    _start.end_at_once()
    if typed is None:
        return
    from rookery import program
    from rookery.project import deploy

    try:
        request, usual = deploy.Request(**typed), deploy.Request()
    except TypeError:
        return
    if any(type(value) is not type(getattr(usual, name)) for name, value in typed.items()):
        return
    program.end_by_sigterm()
    sys.exit(program.guarded(lambda: deploy.run(request)))


if __name__ == "__main__":
    main()
