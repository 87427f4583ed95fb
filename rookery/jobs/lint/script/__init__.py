"""What a job script and the programs that it runs say: commands, options, variables, requested resources."""
