"""`asd doctor`: looks at this installation and machine, and says what is missing or broken."""
