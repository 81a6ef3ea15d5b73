"""The clip of asd demo, made on the spot, and how many of its frames are right."""
