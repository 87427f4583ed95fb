"""The console script `rookery`."""

from rookery.core import startup

startup.begin()


def main() -> None:
    """Run a command."""
    from rookery.cli import program  # noqa: PLC0415 start-up

    program.main()


if __name__ == "__main__":
    main()
