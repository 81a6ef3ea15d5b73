"""Evaluates results against labels with the field's metrics and the official scripts' rules."""
