"""Video files: probing, timestamps, pictures on the 25 fps grid, sound, and writing MP4."""
