"""Lines of .gitignore."""


def line(path: str, *, is_folder: bool = False) -> str:
    """Return a line that makes git ignore a path of the project, and no other.

    Args:
        path: The path, in the folder of the .gitignore.
        is_folder: Whether only a folder of that name is meant.
    """
    escaped = "".join(f"\\{character}" if character in "\\*?[" else character for character in path)
    escaped = f"{escaped[:-1]}\\ " if escaped.endswith(" ") and not is_folder else escaped
    return f"/{escaped}{'/' * is_folder}"
