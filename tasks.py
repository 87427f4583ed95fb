"""Every command of rookery under its name. `invoke --list` shows them in a checkout, `rookery --list` anywhere."""

from rookery.core import startup

if __name__ == "tasks":  # as Invoke itself loads it; the console script has begun already
    startup.begin()

from invoke import Collection

from rookery.cli.commands import COMMANDS, GROUPS

namespace = Collection(*COMMANDS)
for name, commands in GROUPS.items():
    collection = Collection(name)
    default = "start" if any(each.name == "start" for each in commands) else "list"
    for each in commands:
        collection.add_task(each, default=each.name == default)
    namespace.add_collection(collection)
