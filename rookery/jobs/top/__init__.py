"""The command `top`: a screen of the jobs on all clusters. What it shows is data; `screen` alone knows Textual."""
