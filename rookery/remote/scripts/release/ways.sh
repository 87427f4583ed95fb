# shellcheck shell=sh disable=SC2154
# The ways to build an environment: build_WAY LOCK, in a folder with the project's files.
#
# Set besides: target (the environment's own folder), cran, r_program, requirements (the project's own), expected (what
# the environment must have, where that is known), proof_program (proof.py); ROOKERY_PREFIX.
build_uv() {
  UV_PROJECT_ENVIRONMENT=$target VIRTUAL_ENV='' uv sync --frozen --no-install-project --no-progress &&
    prove
}
prove() { # prove [PYTHON]: the environment has what the lock file lists
  [ -z "$expected" ] || printf '%s' "$expected" | "${1:-$target/bin/python}" -I -c "$proof_program" "$target"
}
make_venv() { # with the Python that .python-version or pyproject.toml asks for
  VIRTUAL_ENV='' uv venv --quiet --no-progress "$@" "$target" && export VIRTUAL_ENV="$target" PATH="$target/bin:$PATH"
}
build_poetry() { # poetry installs into the virtual environment that is active, unless it is set up for another
  make_venv || return
  used=$(poetry env info --path 2>/dev/null)
  if [ "$(readlink -f "$used")" != "$(readlink -f "$target")" ]; then
    echo "error: poetry would install into ${used:-its own environment}: see poetry config --list"
    return 1
  fi
  poetry install --no-root --no-interaction --no-ansi && prove
}
own='^[[:space:]]*\(\(-e\|--editable\)[[:space:]=]*\)\{0,1\}\./\{0,1\}\(\[[^]]*\]\)\{0,1\}[[:space:]]*\(#.*\)\{0,1\}$'
build_venv() {
  make_venv --seed || return
  if grep -q "$own" "$1"; then # the project itself, which each release has of its own: what it needs, instead
    { grep -v "$own" "$1"; printf '%s\n' "$requirements"; } >"$1.rookery" && install_requirements "$1.rookery"
    installed=$?
    rm -f "$1.rookery"
    [ "$installed" -eq 0 ] && prove
  else
    install_requirements "$1" && prove
  fi
}
install_requirements() {
  python -I -c "$pip" install --no-input --disable-pip-version-check --progress-bar off -r "$1"
}
# pip with those of the user's and the site's settings that say where packages come from; others say where they go, or
# that nothing is installed
pip='
import ast, os, subprocess, sys
sources = "index-url extra-index-url find-links no-index trusted-host proxy cert client-cert keyring-provider timeout retries"
pip = [sys.executable, "-I", "-m", "pip"]
told = subprocess.run([*pip, "config", "list"], stdout=subprocess.PIPE, universal_newlines=True).stdout
for line in told.splitlines():
    key, _, value = line.partition("=")
    section, _, name = key.partition(".")
    if section in ("global", "install") and name in sources.split():
        value = " ".join(str(ast.literal_eval(value)).split())
        os.environ.setdefault("PIP_" + name.upper().replace("-", "_"), value)
os.environ["PIP_CONFIG_FILE"] = os.devnull
os.execv(sys.executable, [*pip, *sys.argv[1:]])
'
build_conda() {
  tool=$(command -v mamba || command -v micromamba || command -v conda) ||
    { echo 'error: neither mamba nor conda is installed' && return 1; }
  # create_default_packages of ~/.condarc are not the project's; not every version has the option
  option=$("$tool" env create --help 2>/dev/null | grep -o -m 1 -e --no-default-packages)
  CONDA_ALWAYS_YES=true MAMBA_ALWAYS_YES=true "$tool" env create --quiet --prefix "$target" --file "$1" ${option:+"$option"} &&
    prove "$(command -v python3)"
}
build_library() { run_r library "$1"; }
build_renv() { run_r renv "$1" && printf '%s' "$expected" | run_r prove "$1"; }
run_r() {
  command -v Rscript >/dev/null || { echo 'error: R is not installed' && return 1; }
  mkdir -p "$target" &&
    R_LIBS_USER=$target RENV_PATHS_ROOT=$ROOKERY_PREFIX/renv Rscript --no-init-file -e "$r_program" "$1" "$2" "$target" "$cran"
}
