"""A cohort: several students whom one user gets started, and their readiness."""
