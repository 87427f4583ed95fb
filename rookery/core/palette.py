"""The colours of all pictures: those of Okabe and Ito, which people with any kind of colour vision can tell apart.

Okabe and Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/; without their black and yellow, which
are lost on a dark page or on a light one.
"""

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
GREY = "#8C8C8C"
"""Text, axes and what is neither good nor bad: readable on white and on black (contrast 3.4 and 6.1)."""

SERIES = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE)
"""The colours of the lines of a plot, in their order."""
