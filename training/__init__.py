"""Trains scorers on labelled faces, from published weights or from nothing."""
