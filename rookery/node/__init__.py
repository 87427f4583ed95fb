"""Stands in for `rookery.jobs.interactive.proxy`: ssh configurations that an earlier release wrote name this one."""
