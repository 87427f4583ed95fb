"""Add clusters to the user's own inventory, and keep their profiles right."""
