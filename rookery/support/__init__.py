"""Getting users started or unstuck: onboarding, doctor, cohorts, pages on clusters."""
