"""Whose the voices of a diarization are: reads its files, and joins voices to the faces seen."""
