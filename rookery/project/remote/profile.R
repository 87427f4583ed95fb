# Written by rookery. In jobs, R reads this in place of ~/.Rprofile. That is read here, and the project's own packages
# come first whatever it says.
local({
  library <- Sys.getenv("R_LIBS_USER") # a ~/.Renviron may have changed it
  own <- file.path(dirname(dirname(Sys.getenv("R_PROFILE_USER"))), ".rlibrary")
  if (dir.exists(own)) library <- own
  Sys.setenv(R_LIBS = library, R_LIBS_USER = library)
  .libPaths(library)
  profile <- Filter(file.exists, c(".Rprofile", "~/.Rprofile"))
  if (length(profile)) try(sys.source(profile[1], envir = globalenv(), keep.source = FALSE))
  if (exists(".First", globalenv(), inherits = FALSE)) {
    try(get(".First", globalenv())())
    rm(".First", envir = globalenv())
  }
  .libPaths(library)
})
