"""`python -m asdkit` is the command `asd`."""

import sys


def main() -> None:
    """Run the command; see `core.cli.main`. Ctrl-C while that is loaded is no traceback."""
    try:
        from .core.cli.main import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
