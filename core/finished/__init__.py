"""What can be done with a result once it is there; the methods of `Result` call it."""
