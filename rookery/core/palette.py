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
GREY = "#767676"
"""Text, axes and what is neither good nor bad: readable on a white page and on a black one (contrast 4.5 and 4.6)."""

SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
"""The colours of the lines of a plot and the parts of bars, in their order: those that stand out most on both first."""
