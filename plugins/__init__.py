"""The components that come with asdkit; they register as a stranger's package would."""
