"""`submit`: a job submitted from the release that is deployed."""
