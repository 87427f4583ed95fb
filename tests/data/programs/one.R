# One simulation of many: its number sets the seed and names the file
task <- as.integer(commandArgs(trailingOnly = TRUE)[1])
set.seed(2000 + task)
write.csv(data.frame(task = task, mean = mean(rnorm(100))), file.path("results", paste0(task, ".csv")), row.names = FALSE)
