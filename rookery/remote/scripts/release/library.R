# Fill a project's R library. Arguments: WAY LOCK LIBRARY CRAN; WAY is "library" (LOCK lists packages, a line each, `name` or
# `name==version`; or it is the DESCRIPTION of an R package), "renv" (LOCK is renv.lock) or "prove" (see below). CRAN may be "", for the site's own choice or the one that sends to a near one.
given <- commandArgs(TRUE)
lock <- given[2]
library <- given[3]
cran <- given[4]
if (!nzchar(cran)) {
  cran <- getOption("repos")[["CRAN"]]
  if (cran == "@CRAN@") cran <- "https://cloud.r-project.org"
}
options(repos = c(CRAN = cran), Ncpus = 2, timeout = 600, warn = 1)
.libPaths(library) # and not the user's own: the project's library must do without it
# nor for the R that installs each package: ~/.Renviron has been read once, and ~/.Rprofile not at all
Sys.setenv(R_LIBS = library, R_LIBS_USER = library, R_ENVIRON_USER = "/dev/null", R_PROFILE_USER = "/dev/null")

with_r <- rownames(installed.packages(lib.loc = .Library, priority = "base"))
version <- function(name) tryCatch(as.character(packageVersion(name, lib.loc = .libPaths())), error = function(e) "")
fail <- function(...) {
  message("error: ", ...)
  quit(status = 1)
}

restore <- function() {
  if (!nzchar(version("renv"))) install.packages("renv", lib = library, quiet = TRUE)
  if (!nzchar(version("renv"))) fail("renv could not be installed from ", cran)
  if (nzchar(given[4])) options(renv.config.repos.override = c(CRAN = cran))
  options(renv.consent = TRUE)
  renv::restore(library = library, lockfile = lock, prompt = FALSE)
}

# of an R package, what it needs; else a line each
listed <- function() {
  if (basename(lock) != "DESCRIPTION") return(trimws(sub("#.*", "", readLines(lock, warn = FALSE))))
  needs <- na.omit(as.character(read.dcf(lock, c("Depends", "Imports", "LinkingTo"))))
  setdiff(trimws(sub("[(].*", "", unlist(strsplit(needs, ",")))), "R")
}

install <- function() {
  lines <- listed()
  wanted <- strsplit(lines[nzchar(lines)], "[[:space:]]*==[[:space:]]*")
  names <- vapply(wanted, `[`, "", 1)
  versions <- vapply(wanted, function(each) if (length(each) > 1) each[2] else "", "")
  if (all(names %in% with_r)) return(invisible()) # nothing that CRAN is asked for
  there <- available.packages()
  if (!nrow(there)) fail("cannot open URL ", cran)
  newest <- function(name) if (name %in% rownames(there)) there[name, "Version"] else ""
  old <- nzchar(versions) & versions != vapply(names, newest, "")
  missing <- names[!old & !names %in% c(rownames(there), rownames(installed.packages()))]
  if (length(missing)) fail("not found at ", cran, ": ", paste(missing, collapse = ", "))
  # an old version goes in first, on what it needs, so that what needs it finds it there
  needs <- unlist(tools::package_dependencies(names[old], there, recursive = TRUE), use.names = FALSE)
  needs <- setdiff(needs, c(names, with_r))
  if (length(needs)) install.packages(needs, lib = library)
  for (index in which(old)) {
    file <- sprintf("%s/src/contrib/Archive/%s/%s_%s.tar.gz", cran, names[index], names[index], versions[index])
    message("Installing ", names[index], " ", versions[index])
    install.packages(file, lib = library, repos = NULL, type = "source")
  }
  rest <- setdiff(names[!old], with_r)
  if (length(rest)) install.packages(rest, lib = library)
  got <- vapply(names, version, "")
  wrong <- got == "" | (nzchar(versions) & got != versions)
  if (any(wrong)) fail("not installed: ", paste(lines[nzchar(lines)][wrong], collapse = ", "))
  # what these need, too: a package whose own dependencies are missing can't be loaded
  there <- installed.packages()
  needs <- unlist(tools::package_dependencies(names, there, recursive = TRUE), use.names = FALSE)
  lacking <- setdiff(needs, rownames(there))
  if (length(lacking)) fail("not installed: ", paste(lacking, collapse = ", "))
  cat(sprintf("%s %s\n", names, got), sep = "")
}

# what the lock file lists, on standard input, is there: its metadata is read, and has that version
prove <- function() {
  wanted <- strsplit(readLines(file("stdin")), " ")
  differs <- function(each) {
    got <- version(each[1])
    !each[1] %in% with_r && (got == "" || package_version(got) != package_version(each[2]))
  }
  wrong <- vapply(Filter(differs, wanted), paste, "", collapse = " ")
  if (length(wrong)) fail("not installed as ", lock, " lists it: ", paste(wrong, collapse = ", "))
}

switch(given[1], renv = restore(), prove = prove(), install())
