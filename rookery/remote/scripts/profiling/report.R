# Turn what Rprof wrote into a table, top.tsv: seconds in a line of the script alone, seconds with all that it calls, 0, the place, the
# code. Time in packages counts for the line that calls them. Arguments: the folder; for a page as well, the library that profvis is in
# where the project's has none.
given <- commandArgs(TRUE)
folder <- given[1]
own <- total <- numeric()
for (path in list.files(folder, "[.]Rprof$", full.names = TRUE)) {
  lines <- readLines(path, warn = FALSE)
  if (!length(lines)) next
  interval <- as.numeric(sub(".*sample.interval=([0-9]+).*", "\\1", lines[1])) / 1e6
  is_file <- grepl("^#File [0-9]+: ", lines)
  files <- sub("^#File [0-9]+: ", "", lines[is_file])
  names(files) <- sub("^#File ([0-9]+): .*", "\\1", lines[is_file])
  for (stack in lines[-1][!is_file[-1]]) {
    places <- regmatches(stack, gregexpr("(^| )[0-9]+#[0-9]+", stack))[[1]]
    places <- strsplit(trimws(places), "#")
    places <- vapply(places, function(place) paste0(files[[place[1]]], ":", place[2]), "")
    if (!length(places)) places <- "(R itself)"
    own[places[1]] <- sum(own[places[1]], interval, na.rm = TRUE)
    for (place in unique(places)) total[place] <- sum(total[place], interval, na.rm = TRUE)
  }
}
code <- function(place) {
  file <- sub(":[0-9]+$", "", place)
  known <- c(file, file.path(dirname(Sys.getenv("ROOKERY_PROFILE_SCRIPT", ".")), basename(file)))
  known <- known[file.exists(known)]
  if (!length(known)) known <- list.files(".", paste0("^\\Q", basename(file), "\\E$"), recursive = TRUE)
  if (!length(known)) return("")
  text <- readLines(known[1], warn = FALSE)[as.integer(sub(".*:", "", place))]
  if (is.na(text)) "" else substr(gsub("[[:space:]]+", " ", trimws(text)), 1, 300)
}
own <- own[names(total)]
own[is.na(own)] <- 0
order <- head(order(own, total, decreasing = TRUE), 200)
places <- names(total)[order]
rows <- sprintf("%.6f\t%.6f\t0\t%s\t%s", own[order], total[order], places, vapply(places, code, ""))
writeLines(c(sprintf("%.6f", sum(own)), rows), file.path(folder, "top.tsv"))
if (length(given) > 1) {
  .libPaths(c(given[2], .libPaths())) # in jobs, R_LIBS is the project's library alone (.rookery/Rprofile)
  pages <- lapply(list.files(folder, "[.]Rprof$", full.names = TRUE), function(path) profvis::profvis(prof_input = path))
  files <- sub("[.]Rprof$", ".html", list.files(folder, "[.]Rprof$"))
  setwd(folder)
  inlined <- function(line) { # what the page loads goes into it; htmlwidgets needs pandoc for that, which few nodes have
    path <- URLdecode(sub('^<(script src|link href)="([^"]+)".*', "\\2", line))
    if (path == line || !file.exists(path)) return(line)
    text <- paste(readLines(path, warn = FALSE, encoding = "UTF-8"), collapse = "\n")
    if (startsWith(line, "<link")) return(paste0("<style>", text, "</style>"))
    paste0("<script>", gsub("</script", "<\\/script", text, fixed = TRUE, useBytes = TRUE), "</script>")
  }
  for (index in seq_along(pages)) {
    htmlwidgets::saveWidget(pages[[index]], files[index], selfcontained = FALSE, libdir = "page")
    lines <- readLines(files[index], warn = FALSE, encoding = "UTF-8")
    is_loaded <- grepl("^<(script src|link href)=", lines, useBytes = TRUE)
    lines[is_loaded] <- vapply(lines[is_loaded], inlined, "")
    writeLines(lines, files[index], useBytes = TRUE)
  }
}
