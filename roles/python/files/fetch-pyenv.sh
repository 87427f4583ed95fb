# shellcheck shell=sh
# Check out one commit of pyenv. A commit's name is the digest of all that is in it, so git checks what it was sent.
#
# Arguments: REPOSITORY COMMIT FOLDER
set -eu
repository=$1 commit=$2 folder=$3
git init --quiet "$folder"
cd "$folder"
git remote add origin "$repository"
# `git pull` in this folder takes newer commits, whenever the user wants them
git config branch.master.remote origin
git config branch.master.merge refs/heads/master
# A server that gives no commit by its name gives all its branches and tags.
git fetch --quiet --depth 1 origin "$commit" 2>/dev/null || git fetch --quiet --tags origin
if ! git checkout --quiet -B master "$commit" 2>/dev/null || [ "$(git rev-parse HEAD)" != "$commit" ]; then
  echo "$repository has no commit $commit of pyenv. A mirror with another history needs cluster_mirrors.pyenv_commit." >&2
  exit 1
fi
