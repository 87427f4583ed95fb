"""The command `submit`: submit a job from the release that is deployed."""
