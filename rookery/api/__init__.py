"""rookery for the user's own programs: `rookery.Project`, over the options and functions of the commands."""
