"""The program that the action `home` sends to a login node: it applies a role's declaration to the home there.

It needs Python 3.6's standard library and nothing else. One module a concern; clusters/login_node/bundle.py packs them,
together with the declaration, into the one script that is sent. What most declarations don't need is imported within
functions: on the cluster a module is compiled when it is imported.

problem            exceptions that end a call before its work is done
paths              what a path in a declaration means, and where rookery may write
disk               single changes of a filesystem: atomic, durable, one `step` each
records            a ledger's file, of whichever version
ledger             what was made or changed, and what was there before
fingerprint_check  a quick comparison of all that a run looks at; a program of its own
last_run           what a whole run asked for, for the fast way of the next one
disk_space         what fits where
lease              which run is at work in this home
work               one declaration's work: what is compared, changed and reported
files              directories, links, files, environment
blocks             marked blocks in files that belong to the user
settings           JSON files shared with the user
shells             a drop-in for each shell's start-up
tree_copy          exact copies of trees of files, and the removal of a copied tree
weigh              how much there is to copy, and whether it can be
relocate           a folder moved whole to the storage, and linked from where it was
process            programs run and watched
reply              the answer to the laptop
jobs               a command run in a Slurm job
commands           things that are made by running a program
schedule           the commands of a declaration, side by side where they do not depend on each other
restore            files, links, folders, blocks and settings restored
prune_undeclared   things that a role declares no longer
resources          the kinds of things in a declaration, in their order
main               one declaration applied
session            one declaration after another, for as long as a run lasts
tools              versions of the installed tools
restore_moved      a moved folder brought back
presence           a check that a storage is mounted, before anything on it is called gone
merged             a folder brought back that rookery 0.1.0 merged into the storage
uninstall          installed tools removed
undo               a home restored by its ledger
verify             a home compared with the last whole run, item by item
fingerprint        everything that a comparison depends on, written down for fingerprint_check
"""
