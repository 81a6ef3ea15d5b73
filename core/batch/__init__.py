"""Many videos: found, shared out, done by worker processes, and each accounted for."""
