"""How well results agree with labels: the field's metrics, and its scorers' own rules."""
