"""Render templates of job scripts: rookery's own, and those of a project, which may come from anybody.

A template gets data and makes text of it. It runs in Jinja's immutable sandbox, and may call no method but those of
text, numbers, lists and mappings: `project.root` is a path, whose methods would write files.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from rookery.clusters.config.schema import nearest
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.projects.source_tree import Source

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment
    from jinja2.bccache import Bucket

_SUFFIX: Final = ".sh.j2"
_DATA: Final = (str, int, float, list, tuple, dict, MappingProxyType)
"""What may be asked to do something by a template; of anything else it can read values alone."""


_compiled: dict[tuple[str, str], bytes] = {}
"""The templates that this process has compiled, by name and digest of the text: each job of a project uses the same."""


def names() -> list[str]:
    """Return the names of the templates that rookery has."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _folder().glob(f"[!_]*{_SUFFIX}"))


def render(name: str, variables: Mapping[str, Any], source: Source) -> str:
    """Render a template.

    Args:
        name: One of rookery's, or the path of one in the project.
        variables: What it is given.
        source: Where the project's own templates are read, and what they extend, include and import.

    Raises:
        RookeryError: There is no such template, it can't be read, or it fails.
    """
    import jinja2

    file = f"{name}{_SUFFIX}" if name in names() else name
    try:
        return _jinja(source).get_template(file).render(variables)
    except jinja2.TemplateNotFound as error:
        if str(error.name) != name:
            raise RookeryError(
                f"{name}: can't find the template {error.name}, neither in rookery nor in the {source.name}."
            ) from error
        raise RookeryError(
            f"unknown template {name}{nearest(name, names())}; it is not a file of the {source.name} either. "
            f"Templates: {', '.join(names())}."
        ) from error
    except RookeryError as error:
        message = error.message if error.message.startswith(name) else f"{name}: {error.message}"
        raise RookeryError(message, hint=error.hint) from error
    except Exception as error:  # a template is a program of the project's: whatever it does wrong is its own fault
        raise RookeryError(f"{name}: {_message(error)}", hint=f"edit {name}, then run the command again") from error


def _message(error: Exception) -> str:
    line = getattr(error, "lineno", None) or _line(error)
    words = " ".join(str(getattr(error, "message", "") or error or type(error).__name__).split())
    return f"line {line}: {words}" if line else words


def _line(error: Exception) -> int | None:
    """Return the innermost line of a template in the traceback; Jinja names the lines so."""
    trace, line = error.__traceback__, None
    while trace:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@lru_cache(maxsize=1)
def _jinja(source: Source) -> "Environment":
    """Return Jinja over rookery's templates and the project's own, which can so extend and include rookery's."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            acts = callable(value) and not isinstance(obj, _DATA) and not type(obj).__module__.startswith("jinja2.")
            return not acts and super().is_safe_attribute(obj, attr, value)

    class Compiled(jinja2.BytecodeCache):
        def load_bytecode(self, bucket: "Bucket") -> None:
            if compiled := _compiled.get((bucket.key, bucket.checksum)):
                bucket.bytecode_from_string(compiled)

        def dump_bytecode(self, bucket: "Bucket") -> None:
            _compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()

    def text(name: str) -> str | None:
        try:
            return source.read(name).decode()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RookeryError(f"can't read {name}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise RookeryError(f"{name} is not UTF-8 text.") from error

    return Sandbox(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(_folder()), jinja2.FunctionLoader(text)]),
        bytecode_cache=Compiled(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="{##",  # {# is bash's, in ${#array[@]}
        comment_end_string="##}",
        autoescape=False,  # shell, not HTML: each value is quoted where it is decided
    )


def _folder() -> "Path":
    return paths.root() / "templates" / "sbatch"
