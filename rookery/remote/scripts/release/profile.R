# Written by rookery. In jobs, R reads this in place of ~/.Rprofile and ~/.Renviron. Those are read here, and the project's
# own packages come first whatever they say.
local({
  profile <- Sys.getenv("R_PROFILE_USER")
  # the job script's, which is another one on nodes of another architecture
  name <- basename(sub(":.*", "", Sys.getenv("R_LIBS")))
  library <- file.path(dirname(dirname(profile)), if (startsWith(name, ".rlibrary")) name else ".rlibrary")
  if (!dir.exists(library)) library <- Sys.getenv("R_LIBS_USER")
  first <- function(...) Find(file.exists, c(...))
  for (file in first(".Renviron", "~/.Renviron")) try(readRenviron(file))
  # also for the R that this one starts
  Sys.setenv(R_LIBS = library, R_LIBS_USER = library, R_PROFILE_USER = profile, R_ENVIRON_USER = "/dev/null")
  .libPaths(library)
  for (file in first(".Rprofile", "~/.Rprofile")) try(sys.source(file, envir = globalenv(), keep.source = FALSE))
  if (exists(".First", globalenv(), inherits = FALSE)) {
    try(get(".First", globalenv())())
    rm(".First", envir = globalenv())
  }
  .libPaths(library)
})
