# shellcheck shell=sh disable=SC2154
# Remove a project's old releases, and environments that no release leads to any more. Outputs are never touched.
#
# Read behind locked.sh. Set in front of both:
#   name   the project
#   mode   prune, or check: remove nothing
#   slurm  1 where jobs run under Slurm: releases that one of them uses are kept
# Facts on standard output: "removed COMMIT", "removed-environment PATH", "kept COMMIT WHY", "freed KB", "stop WHY".
[ -d "$state" ] || exit 0
take_lock
jobs=
if [ "$slurm" = 1 ]; then
  # folder and script of every job that waits or runs; where Slurm does not say, everything may be in use
  jobs=$(timeout 30 squeue --noheader --user "$(id -un)" --format '%Z %o' 2>&1) || stop "slurm $jobs"
fi
repository=$base/repository.git
current=$(readlink "$base/current")
freed=0
own_files() { # files in a release that are neither the commit's nor rookery's, nor what Python compiled of these
  HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_INDEX_FILE="$state/$1.index" \
    git --git-dir="$repository" --work-tree="$base/releases/$1" ls-files --others --modified --exclude=__pycache__/ \
      --exclude='/.venv*/' --exclude='/.rlibrary*/' --exclude=/.rookery/ ||
    echo '(git could not list them)'
}
for release in "$base"/releases/*; do
  [ -d "$release" ] || continue
  commit=${release##*/}
  [ "$current" != "releases/$commit" ] || continue
  # by its end alone: Slurm names it by its real path, and the home or ~/projects may be reached through a link
  case $jobs in *"/releases/$commit"*)
    say "kept $commit a job in the queue uses it"
    continue
    ;;
  esac
  own=$(own_files "$commit" | head -n 3 | tr '\n' ' ')
  if [ -n "$own" ]; then
    say "kept $commit it has files of yours: $own"
    continue
  fi
  size=$(du -sk "$release" 2>/dev/null | cut -f1)
  freed=$((freed + ${size:-0}))
  say "removed $commit"
  [ "$mode" = prune ] || continue
  # under a name that nobody reads, so that one cut off here is no half a release
  mv "$release" "$base/releases/.$commit.partial" && rm -rf "$base/releases/.$commit.partial" \
    "$state/$commit.index" "$state/$commit.wanted"
  git --git-dir="$repository" update-ref -d "refs/rookery/$commit"
done
used=$(for release in "$base"/releases/* "$base"-*/releases/*; do # copies of the project share its environments
  for link in "$release"/.venv* "$release"/.conda* "$release"/.rlibrary*; do
    # a folder of the release's own leads there from within
    readlink "$link" || readlink "$link/bin/python" "$link/.shared"
  done
done)
above=${ROOKERY_PREFIX:-/nonexistent/none}
for environment in "${above%/*}"/*/environments/"$name"-*; do # those for other architectures, too
  [ -d "$environment" ] || continue
  # another project's, whose name only begins alike
  case ${environment##*/"$name"-} in *[!0-9a-f]*) continue ;; esac
  case $used in *"${environment#"${above%/*}"}"*) continue ;; esac
  # one that a copy's deploy is building, which no release leads to yet
  if [ -e "$environment.lock" ] && command -v flock >/dev/null 2>&1 && ! flock -n "$environment.lock" true; then continue; fi
  size=$(du -sk "$environment" 2>/dev/null | cut -f1)
  freed=$((freed + ${size:-0}))
  say "removed-environment $environment"
  [ "$mode" = prune ] && rm -rf "$environment" "$environment.lock" "$state/environment-${environment##*/}".* "$state/environment-${environment##*/}"-*
done
if [ "$mode" = prune ] && [ "$freed" -gt 0 ]; then
  git --git-dir="$repository" gc --quiet --prune=now >/dev/null 2>&1
fi
say "freed $freed"
