"""The command asd: arguments, a module for each command, help, progress and tables."""
