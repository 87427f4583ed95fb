"""The command `init`: inspect the code in a folder, and propose what makes a project of it."""
