"""One function a rule: from a script in its context to findings."""
