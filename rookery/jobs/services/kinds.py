"""The services that `serve` knows: what each needs, how it is started so that nobody else on the node reaches it.

Each listens on $ROOKERY_SOCKET, a socket in a folder of mode 0700, and on no port. None asks for a password: only the
user's own processes can connect to the socket, and the gate on their computer (gate.py) asks for a token.
"""

from dataclasses import dataclass
from typing import Final

_JUPYTER: Final = r"""
export JUPYTER_RUNTIME_DIR="${ROOKERY_SOCKET%/*}/run"
export JUPYTER_PATH="${ROOKERY_SOCKET%/*}/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}"
"$python" -c "$program" "${ROOKERY_SOCKET%/*}" "$ROOKERY_RELEASE" "$name" || exit
exec "$python" -m MODULE --no-browser --ServerApp.sock="$ROOKERY_SOCKET" --ServerApp.sock_mode=0600 \
  --IdentityProvider.token= --PasswordIdentityProvider.hashed_password= \
  --PasswordIdentityProvider.password_required=False --KernelManager.transport=ipc \
  --ServerApp.root_dir="$HOME" --FileContentsManager.preferred_dir="$folder"
"""
# Kernels talk through sockets in a folder of mode 0700 (transport=ipc): by default each listens on ports of 127.0.0.1,
# where any user of the node can read what it prints (jupyter_client, "ZeroMQ transport"). One port is left, of which
# ipykernel gives no choice: it takes what processes that a kernel forks print, and drops what does not come with a
# random number of 16 bytes.

_JUPYTER_UNSAVED: Final = "It saves notebooks every two minutes: what was typed since and all variables are lost."


@dataclass(frozen=True)
class Kind:
    """A service.

    Attributes:
        name: As it is typed.
        title: As messages call it.
        package: The package that has it.
        module: What Python imports of it.
        start: Shell that becomes it; $python, $program, $folder, $name and $ROOKERY_SOCKET are set.
        program: The file of rookery/remote that $program holds; "" for none.
        page: The path of its page.
        unsaved: What is lost where its job ends.
    """

    name: str
    title: str
    package: str
    module: str
    start: str
    program: str = ""
    page: str = "/"
    unsaved: str = "What was not saved is lost."


def _jupyter(name: str, title: str, package: str, page: str) -> Kind:
    start = _JUPYTER.replace("MODULE", package)
    return Kind(name, title, package, package, start, "scripts/services/kernel.py", page, _JUPYTER_UNSAVED)


KINDS: Final = {
    kind.name: kind
    for kind in (
        _jupyter("lab", "JupyterLab", "jupyterlab", "/lab"),
        _jupyter("notebook", "Jupyter Notebook", "notebook", "/tree"),
    )
}
