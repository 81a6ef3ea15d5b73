"""Video files: what is in them, their clocks, pictures on the grid and sound; and writing them."""
