"""The single pass over a video: runs the components frame by frame and collects their results."""
