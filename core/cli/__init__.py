"""The command `asd`: argument parsing, a module for each command, help, progress and tables."""
