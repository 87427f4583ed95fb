"""Jobs of a project: checked, submitted, followed, fetched, recorded and measured; and their input data."""
