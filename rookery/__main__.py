"""The console script `rookery`, which begins a deploy before it imports what reads the command line."""

import sys

from rookery import _lean  # noqa: F401 what it does is done by importing it


def main() -> None:
    """Run a command."""
    if sys.argv[1:2] == ["deploy"]:
        _deploy()
    from rookery import cli

    cli.main()


def _deploy() -> None:
    """Begin a deploy; where the same was typed here before, do all of it, since Invoke would read the same in it."""
    from rookery.project import headstart

    try:
        headstart.begin()
        from rookery.project import opening

        typed = opening.begin()
    except KeyboardInterrupt:
        from rookery.program import INTERRUPTED

        print("\nStopped.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    if typed is None:
        return
    from rookery import program
    from rookery.project import deploy

    try:
        request = deploy.Request(**typed)
    except TypeError:
        return
    program.end_by_sigterm()
    sys.exit(program.guarded(lambda: deploy.run(request)))


if __name__ == "__main__":
    main()
