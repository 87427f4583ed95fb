"""The console script `rookery`, which begins a deploy before it imports what reads the command line."""

import sys


def main() -> None:
    """Run a command."""
    if sys.argv[1:2] == ["deploy"]:
        from rookery.project import opening

        try:
            opening.begin()
        except KeyboardInterrupt:
            from rookery.program import INTERRUPTED

            print("\nStopped.", file=sys.stderr)
            sys.exit(INTERRUPTED)
    from rookery import cli

    cli.main()


if __name__ == "__main__":
    main()
