"""The one pass over a video: what is asked of the components, frame by frame, and kept."""
