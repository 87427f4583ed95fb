"""A cohort: several students whom one person gets started, and how far each of them is."""
