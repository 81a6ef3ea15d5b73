"""The components that come with asdkit, registered like those of third-party packages."""
