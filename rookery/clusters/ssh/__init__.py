"""The ssh connections that everything goes through."""
