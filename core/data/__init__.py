"""Data for trainings: cuts faces out of labelled videos, checks data sets, makes dialogues."""
