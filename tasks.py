"""Every command of rookery under its name. `invoke --list` names them in a checkout, `rookery --list` anywhere."""

from rookery.core import startup

if __name__ == "tasks":  # as Invoke itself loads it; the console script has begun already
    startup.begin()

from invoke import Collection

from rookery.cli.commands import clusters, cohort, doctor, home, jobs, onboard, project, sandbox, vscode

namespace = Collection(
    onboard.onboard,
    home.login,
    home.logout,
    home.setup,
    home.status,
    doctor.doctor,
    home.undo,
    home.tmux,
    vscode.code,
    cohort.cohort,
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
    ("clusters", (clusters.clusters_list, clusters.clusters_show, clusters.clusters_guide), "list"),
    ("sandbox", (sandbox.sandbox_up, sandbox.sandbox_down, sandbox.sandbox_list), "list"),
    ("vscode", (vscode.vscode_prune, vscode.vscode_settings), None),
):
    collection = Collection(name)
    for each in commands:
        collection.add_task(each, default=each.name == default)
    namespace.add_collection(collection)
