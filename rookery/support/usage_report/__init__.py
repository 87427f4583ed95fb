"""`report`: what a user's or a group's jobs took, project by project."""
