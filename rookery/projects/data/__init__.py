"""Input data of a project on this computer: what is in it, and by which digest it is known."""
