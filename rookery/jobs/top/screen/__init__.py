"""The screen of `top`, in Textual, which is an extra of rookery's: imported when `top` runs, and nowhere else."""
