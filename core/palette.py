"""The colours of timelines.

They are from the palette of Okabe and Ito (2008), which is safe for colour-blind readers; they also
differ in lightness, so that a grey print is readable.
"""

SPEAKING = "#E69F00"
SPEECH = "#56B4E9"
OFF_SCREEN = "#0072B2"
VISIBLE = "#E4E4E4"
