# shellcheck shell=bash
# The job of one second: what a compute node is like, told as lines "rookery-doctor KEY VALUE". Words in << >> are put in.
: '<<preamble>>'
: '<<environment>>'
: '<<reach>>'
printf 'rookery-doctor job-node %s\n' "$(uname -n)"
printf 'rookery-doctor job-path %s\n' "$PATH"
: '<<storage>>'
address='<<address>>'
if [ -n "$address" ]; then printf 'rookery-doctor job-internet %s\n' "$(reach "$address" 5)"; fi
echo 'rookery-doctor job-ended yes'
