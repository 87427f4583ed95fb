# shellcheck shell=sh disable=SC2154
# Remove a copy of a project that rookery made, with its releases, records and results here.
#
# Read behind locked.sh. Set in front of both:
#   name    the copy
#   origin  the project that it was made from: each release of the copy says so, and nothing else is removed
#   slurm   1 where jobs run under Slurm: nothing that one of them uses is removed
# Facts on standard output: "state gone", or "stop WHY".
if [ ! -d "$state" ]; then # the last of it to go
  say 'state gone'
  exit 0
fi
take_lock
for release in "$base"/releases/*; do
  [ -d "$release" ] || continue
  grep -qsF "\"origin\": \"$origin\"" "$release/.rookery/release.json" || stop "foreign $release"
done
if [ "$slurm" = 1 ]; then
  # by the end of the path alone: Slurm names it by its real one, and the home may be reached through a link
  jobs=$(timeout 30 squeue --noheader --user "$(id -un)" --format '%A %Z' 2>&1) || stop "slurm $jobs"
  number=$(printf '%s\n' "$jobs" | grep -F "/projects/$name/releases/" | head -n 1)
  [ -z "$number" ] || stop "used ${number%% *}"
fi
[ -z "$ROOKERY_STORAGE" ] || rm -rf "${ROOKERY_STORAGE:?}/projects/$name" || stop "write $ROOKERY_STORAGE/projects/$name"
for each in "$base"/* "$base"/.[!.]*; do
  [ "$each" = "$state" ] || rm -rf "$each" || stop "write $each"
done
rm -rf "$base" || stop "write $base"
say 'state gone'
