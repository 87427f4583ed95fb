"""The console script `rookery`."""

from rookery import _start

_start.begin()

from rookery import _lean  # noqa: E402, F401 what it does is done by importing it


def main() -> None:
    """Run a command."""
    from rookery import cli

    cli.main()


if __name__ == "__main__":
    main()
