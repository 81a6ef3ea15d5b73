"""Generates the clip of asd demo, and counts the frames that a result has right."""
