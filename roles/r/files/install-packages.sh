# shellcheck shell=bash
# Install R packages into the user's library, which R's own start-up (~/.Rprofile) makes.
#
# Arguments: PREAMBLE ACTION [PACKAGE…]: the preamble is what a job script of this site runs before R, from its profile.
# ACTION is "install", "library" (only see that the library is made), or one of two that change nothing, whose exit code
# says whether all packages are there ("check"), or the library is ("has-library"): there ~/.Rprofile is passed over.
# All but "install" say what the answers of those two depend on.
preamble=$1 action=$2
shift 2
# R takes a while to start. In a first setup it need not: nothing stands yet in the folder that its libraries will be in.
# (Later R alone knows: a user's or a site's Renviron may name another one.)
if [ "$action" = has-library ] && [ ! -e "$HOME/.local/state/rookery/asked" ] && [ -z "$(ls -A "${R_LIBS_USER%%/%*}" 2>/dev/null)" ]; then exit 1; fi
eval "$preamble" >/dev/null 2>&1
# site files may have switched on what breaks here, or nothing at all
set -eu
# and the umask: bash reads ~/.bashrc here too where it takes itself for a command sent by ssh (SSH_SOURCE_BASHRC, as on Debian)
umask u=rwx,go-w
# What the two tests depend on: which R it is, where it looks for packages, and what is there.
sees='
  etc <- file.path(R.home("etc"), c("Renviron", "Renviron.site", "Rprofile.site"))
  seen <- c(file.path(R.home(), "library", "base", "DESCRIPTION"), etc, Sys.getenv("R_LIBS_USER"), .libPaths())
  cat(paste0("rookery-sees: ", path.expand(c(seen, "~/.Renviron")), "\n"), sep = "")
'
case $action in check | has-library | library)
  # both kinds of module system name the files that they loaded
  printf '%s' "${_LMFILES_-}" | tr ':' '\n' | while IFS= read -r module || [ -n "$module" ]; do
    printf 'rookery-sees: %s\nrookery-sees: %s\n' "$module" "${module%/*}"
  done
  command -v Rscript | sed 's/^/rookery-sees: /'
  ;;
esac
case $action in
  library)
    # start-up would make it as well, but not say so; undo takes away what is told here, when it is empty
    exec Rscript --no-init-file -e '
      library <- path.expand(Sys.getenv("R_LIBS_USER"))
      missing <- character()
      folder <- library
      while (!dir.exists(folder)) {
        missing <- c(folder, missing)
        folder <- dirname(folder)
      }
      stopifnot(dir.exists(library) || dir.create(library, recursive = TRUE))
      cat(sprintf("rookery-made: %s/\n", missing), sep = "")
    ' -e "$sees"
    ;;
  has-library) exec Rscript --no-init-file -e "$sees" -e 'quit(status = !dir.exists(Sys.getenv("R_LIBS_USER")))' ;;
  check) exec Rscript --no-init-file -e "$sees" -e 'quit(status = !all(commandArgs(TRUE) %in% rownames(installed.packages())))' "$@" ;;
esac
Rscript -e '
  library <- path.expand(Sys.getenv("R_LIBS_USER"))
  .libPaths(library) # not what ~/.Rprofile may have put before it
  unlink(Sys.glob(file.path(library, "00LOCK*")), recursive = TRUE) # left by an installation that was killed
  wanted <- setdiff(commandArgs(TRUE), rownames(installed.packages()))
  install.packages(wanted, lib = library, quiet = TRUE)
  missing <- setdiff(wanted, rownames(installed.packages(library)))
  if (length(missing)) {
    stop("not installed: ", paste(missing, collapse = ", "), ", from ", getOption("repos")[["CRAN"]], call. = FALSE)
  }
  cat(paste0("rookery-made: ", file.path(library, wanted), "\n"), sep = "")
' "$@"
