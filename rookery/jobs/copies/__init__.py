"""Run jobs from a copy of the project: what `scale` and `profile` share."""
