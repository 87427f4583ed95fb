"""What `home` sends to a login node: brings a home to what one role declares there.

It needs Python 3.6's standard library and nothing else. One module a concern; clusters/login_node/bundle.py packs them,
together with the declaration, into the one script that is sent. What most declarations don't need is imported within
functions: over there a module is compiled when it is imported.

problem            what ends a call before its work is done
paths              what a path in a declaration means, and where rookery may write
disk               the single changes of a filesystem: atomic, durable, one `step` each
records            what a ledger's file says, of whichever version
ledger             what was made or changed, and what stood there before
fingerprint_check  whether all that a run looks at looks the same; sent alone, too
last_run           what a whole run asked for, for the fast way of the next one
disk_space         what fits where
lease              who is at work in this home
work               one declaration's work: what is looked at, changed and told
files              directories, links, files, environment
blocks             marked blocks in files that belong to the user
settings           JSON files shared with the user
shells             a drop-in for each shell's start-up
tree_copy          a tree of files copied exactly, and the copied tree removed
weigh              how much there is to copy, and whether it can be
relocate           a folder moved whole to the storage, and linked from where it was
process            programs run and watched
reply              the answer to the laptop
jobs               a command run in a Slurm job
commands           a thing that is made by running a program
schedule           the commands of a declaration, side by side where one does not need the other
restore            files, links, folders, blocks and settings put back as they were
prune_undeclared   what a role declares no longer
resources          the kinds of things in a declaration, in their order
main               a declaration in, a result out
session            one declaration after another, for as long as a run lasts
tools              which versions of which tools are there
restore_moved      a moved folder brought back
presence           whether a storage is there, before anything on it is called gone
merged             the same of a folder that rookery 0.1.0 put among what stood on the storage
uninstall          installed tools removed
undo               a home put back as it was, by its ledger
verify             whether a home still is as the last whole run left it
fingerprint        what a look at a home depends on, written down for fingerprint_check
"""
