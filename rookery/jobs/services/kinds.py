"""The services that `serve` knows: what each needs, how it is started so that nobody else on the node reaches it.

Each listens on $ROOKERY_SOCKET, a socket in a folder of mode 0700, and on no port. None asks for a password: only the
user's own processes can connect to the socket, and the gate on their computer (gate.py) asks for a token.
"""

from dataclasses import dataclass
from typing import Final

_JUPYTER: Final = r"""
export JUPYTER_RUNTIME_DIR="${ROOKERY_SOCKET%/*}/run" JUPYTER_PATH="${ROOKERY_SOCKET%/*}/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}"
"$python" -c '
import json, os, shutil, sys
from ipykernel.kernelspec import RESOURCES
folder = os.path.join(sys.argv[1], "jupyter", "kernels", "python3")
shutil.copytree(RESOURCES, folder)
argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
name = "Python 3 (%s)" % (sys.argv[3] or "home")
environment = {"PYTHONPATH": sys.argv[2]} if sys.argv[2] else {}
spec = {"argv": argv, "display_name": name, "language": "python", "env": environment, "metadata": {"debugger": True}}
with open(os.path.join(folder, "kernel.json"), "w") as stream:
    json.dump(spec, stream)
' "${ROOKERY_SOCKET%/*}" "$ROOKERY_RELEASE" "$name" || exit
exec "$python" -m MODULE --no-browser --ServerApp.sock="$ROOKERY_SOCKET" --ServerApp.sock_mode=0600 \
  --ServerApp.port_retries=0 --IdentityProvider.token= --PasswordIdentityProvider.hashed_password= \
  --PasswordIdentityProvider.password_required=False --KernelManager.transport=ipc \
  --ServerApp.root_dir="$HOME" --ServerApp.preferred_dir="$folder"
"""
# Kernels talk through sockets in a folder of mode 0700 (transport=ipc): by default each listens on ports of 127.0.0.1,
# where any user of the node can read what it prints (jupyter_client, "ZeroMQ transport").

_JUPYTER_UNSAVED: Final = "It saves notebooks every two minutes; what was typed since, and variables, are lost."


@dataclass(frozen=True)
class Kind:
    """A service.

    Attributes:
        name: As it is typed.
        title: As messages call it.
        package: The package that has it.
        module: What Python imports of it.
        start: Shell that becomes it; $python, $folder and $ROOKERY_SOCKET are set.
        page: The path of its page.
        unsaved: What is lost where its job ends.
    """

    name: str
    title: str
    package: str
    module: str
    start: str
    page: str = "/"
    unsaved: str = "What was not saved is lost."


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind(
            "lab",
            "JupyterLab",
            "jupyterlab",
            "jupyterlab",
            _JUPYTER.replace("MODULE", "jupyterlab"),
            "/lab",
            _JUPYTER_UNSAVED,
        ),
        Kind(
            "notebook",
            "Jupyter Notebook",
            "notebook",
            "notebook",
            _JUPYTER.replace("MODULE", "notebook"),
            "/tree",
            _JUPYTER_UNSAVED,
        ),
    )
}
