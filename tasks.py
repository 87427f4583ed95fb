"""Every command of rookery under its name. `invoke --list` names them in a checkout, `rookery --list` anywhere."""

from invoke import Collection

from rookery.commands import clusters, home, jobs, project, sandbox

namespace = Collection(
    home.login,
    home.logout,
    home.setup,
    home.status,
    home.undo,
    home.tmux,
    project.new,
    project.render,
    project.lint,
    project.deploy,
    jobs.submit,
    jobs.jobs,
    jobs.logs,
    jobs.cancel,
    jobs.fetch,
    jobs.combine,
    jobs.shell,
    jobs.queue,
    jobs.quota,
)
for name, commands, default in (
    ("clusters", (clusters.clusters_list, clusters.clusters_show), "list"),
    ("sandbox", (sandbox.sandbox_up, sandbox.sandbox_down, sandbox.sandbox_list), "list"),
    ("vscode", (home.vscode_prune,), None),
):
    collection = Collection(name)
    for each in commands:
        collection.add_task(each, default=each.name == default)
    namespace.add_collection(collection)
