"""Input data of a project on this computer: its files and its digest."""
