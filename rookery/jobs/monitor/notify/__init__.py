"""`--notify`: a message when jobs have ended, by the terminal, ntfy, a webhook or a command of the user's."""
