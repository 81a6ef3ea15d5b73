"""`python -m asdkit` is the command `asd`."""

from .core.cli import main

if __name__ == "__main__":
    main()
