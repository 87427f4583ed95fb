"""The services that `serve` knows: what each needs, how it is started so that nobody else on the node reaches it.

Each listens on $ROOKERY_SOCKET, a socket in a folder of mode 0700, and on no port. None asks for a password: only the
user's own processes can connect to the socket, and the gate on their computer (gate.py) asks for a token.
"""

from dataclasses import dataclass
from typing import Final, Literal

_JUPYTER: Final = r"""
export JUPYTER_RUNTIME_DIR="${ROOKERY_SOCKET%/*}/run"
export JUPYTER_PATH="${ROOKERY_SOCKET%/*}/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}"
"$python" -c "$program" "${ROOKERY_SOCKET%/*}" "$ROOKERY_RELEASE" "$name" MODULE || exit
case $folder/ in "$HOME"/*) root=$HOME ;; *) root=$folder ;; esac
exec "$python" -m MODULE --no-browser --ServerApp.sock="$ROOKERY_SOCKET" --ServerApp.sock_mode=0600 \
  --ServerApp.port=8888 --ServerApp.base_url=/ --ServerApp.certfile= --ServerApp.keyfile= --ServerApp.client_ca= \
  --IdentityProvider.token= --PasswordIdentityProvider.hashed_password= \
  --PasswordIdentityProvider.password_required=False --KernelManager.transport=ipc \
  --ServerApp.root_dir="$root" --FileContentsManager.preferred_dir="$folder"
"""
# Kernels talk through sockets in a folder of mode 0700 (transport=ipc): by default each listens on ports of 127.0.0.1,
# where any user of the node can read what it prints (jupyter_client, "ZeroMQ transport").
# A port, an address or a certificate in a user's ~/.jupyter is for a server of another kind, which would not start: the
# port is Jupyter Server's default, the only one that it accepts beside a socket (it listens on none).

_MARIMO: Final = """
exec "$python" -c "$program" "$ROOKERY_SOCKET" "$folder"
"""

_TENSORBOARD: Final = """
exec "$python" -c "$program" "$ROOKERY_SOCKET" "$folder"
"""

# Where runs are kept: what MLflow itself would use in the folder, or in one below it, such as results/mlruns.
_MLFLOW: Final = r"""
"$python" -m mlflow server --help | grep -q -e --uvicorn-opts || { echo "MLflow 3 or later is needed."; exit 1; }
for store in "$folder" "$folder"/mlflow.db "$folder"/*/mlflow.db "$folder"/mlruns "$folder"/*/mlruns "$folder"; do
  case $store in */mlflow.db | */mlruns) [ ! -e "$store" ] || break ;; esac
done
[ -d "$store" ] || store=sqlite:///$store
export MLFLOW_ALLOW_FILE_STORE=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
exec "$python" -m mlflow server --workers 1 --uvicorn-opts "--uds $ROOKERY_SOCKET" --backend-store-uri "$store"
"""

# Options by which rserver runs for one user, without root (docs.posit.co, rserver.conf). `www-socket` is there since
# RStudio Server 2024.12 (its release notes, #14938); an older one gets a private network. Not tried with the real one.
_RSTUDIO: Final = r"""
PATH=$PATH:/usr/lib/rstudio-server/bin:/usr/lib/rstudio/bin
command -v rserver >/dev/null || {
  echo "RStudio Server (rserver) is not on PATH on $(hostname)."
  echo "Name its module in modules: of a job in rookery.yml, and add --job NAME."
  exit 1
}
place=${ROOKERY_SOCKET%/*}
mkdir -p "$place/rstudio" && printf 'provider=sqlite
directory=%s
' "$place/rstudio" >"$place/database.conf" || exit
# sessions begin in the folder, and keep what the site has set besides
{
  grep -v '^session-default-working-dir' /etc/rstudio/rsession.conf
  echo "session-default-working-dir=$folder"
} >"$place/rsession.conf" 2>/dev/null
USER=$(id -un)
export USER
set -- rserver --server-daemonize=0 --server-user="$USER" --auth-none=1 --auth-minimum-user-id=0 \
  --server-data-dir="$place/rstudio" --database-config-file="$place/database.conf" \
  --secure-cookie-key-file="$place/secure-cookie-key" --rsession-config-file="$place/rsession.conf" \
  --rsession-which-r="$(command -v R)"
case $(rserver --help 2>&1) in *www-socket*) exec "$@" --www-socket="$ROOKERY_SOCKET" ;; esac
exec "$ROOKERY_PYTHON" -ISc "$program" "$ROOKERY_SOCKET" 8787 "$@" --www-address=127.0.0.1 --www-port=8787
"""

_JUPYTER_UNSAVED: Final = "It saves notebooks every two minutes: what was typed since and all variables are lost."


@dataclass(frozen=True)
class Kind:
    """A service.

    Attributes:
        name: As it is typed.
        title: As messages call it.
        package: The package that has it; "" where it is none of Python's.
        modules: What Python must be able to import, with blanks between.
        start: Shell that becomes it; $python, $program, $folder, $name and $ROOKERY_SOCKET are set.
        program: The file of rookery/remote that $program holds; "" for none.
        page: The path of its page.
        begins: Where it begins: among notebooks, in the results or in the release.
        unsaved: What is lost where its job ends.
    """

    name: str
    title: str
    package: str
    modules: str
    start: str
    program: str = ""
    page: str = "/"
    begins: Literal["notebooks", "results", "release"] = "notebooks"
    unsaved: str = "What was not saved is lost."


def _jupyter(name: str, title: str, package: str, page: str) -> Kind:
    start = _JUPYTER.replace("MODULE", package)
    return Kind(name, title, package, package, start, "scripts/services/kernel.py", page, unsaved=_JUPYTER_UNSAVED)


KINDS: Final = {
    kind.name: kind
    for kind in (
        _jupyter("lab", "JupyterLab", "jupyterlab", "/lab"),
        _jupyter("notebook", "Jupyter Notebook", "notebook", "/tree"),
        Kind(
            "marimo",
            "marimo",
            "marimo",
            "marimo uvicorn",
            _MARIMO,
            "scripts/services/start_marimo.py",
            unsaved="It saves notebooks as you edit them, unless you have turned that off: all variables are lost.",
        ),
        Kind(
            "rstudio",
            "RStudio",
            "",
            "",
            _RSTUDIO,
            "slurm/port_bridge.py",
            unsaved="What was not saved and all variables are lost.",
        ),
        Kind(
            "tensorboard",
            "TensorBoard",
            "tensorboard",
            "tensorboard werkzeug",
            _TENSORBOARD,
            "scripts/services/start_tensorboard.py",
            begins="results",
            unsaved="Nothing is lost: it only shows files.",
        ),
        Kind(
            "mlflow",
            "MLflow",
            "mlflow",
            "mlflow flask uvicorn",
            _MLFLOW,
            begins="release",
            unsaved="Nothing is lost: it only shows runs.",
        ),
    )
}
