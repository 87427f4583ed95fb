"""The table of commands: name, options, and the function that carries it out, imported when the command runs."""

from rookery.cli.command import command
from rookery.core.options import Options
from rookery.homes import options as homes
from rookery.jobs import options as jobs
from rookery.projects import options as projects
from rookery.sandbox import options as sandbox
from rookery.support import options as support

COMMANDS = (
    command("onboard", support.OnboardOptions, "rookery.support.onboarding.command:run"),
    command("login", homes.LoginOptions, "rookery.homes.login:run"),
    command("logout", homes.LogoutOptions, "rookery.homes.login:logout"),
    command("setup", homes.SetupOptions, "rookery.homes.setup:run"),
    command("status", homes.StatusOptions, "rookery.homes.status:run"),
    command("doctor", support.DoctorOptions, "rookery.support.doctor.command:run"),
    command("docs", support.DocsOptions, "rookery.support.docs_command:run"),
    command("undo", homes.UndoOptions, "rookery.homes.undo:run"),
    command("tmux", homes.TmuxOptions, "rookery.homes.tmux:run"),
    command("code", homes.CodeOptions, "rookery.homes.vscode.code:run"),
    command("report", support.ReportOptions, "rookery.support.usage_report.command:run"),
    command("cohort", support.CohortOptions, "rookery.support.cohort.command:run"),
    command("new", projects.NewOptions, "rookery.projects.scaffold:run"),
    command("init", projects.InitOptions, "rookery.projects.adoption.command:run"),
    command("render", jobs.RenderOptions, "rookery.jobs.render:run"),
    command("export", jobs.ExportOptions, "rookery.jobs.export.command:run"),
    command("lint", jobs.LintOptions, "rookery.jobs.lint.run:run"),
    command("deploy", projects.DeployOptions, "rookery.projects.deploy:run", each="cluster"),
    command(
        "submit",
        jobs.SubmitOptions,
        "rookery.jobs.submit.submit:run",
        each="job",
        before="rookery.jobs.submit.request:check_names",
    ),
    command("run", jobs.RunOptions, "rookery.jobs.run_job.command:run"),
    command(
        "jobs",
        jobs.JobsOptions,
        "rookery.jobs.jobs_command:run",
        each="cluster",
        before="rookery.jobs.jobs_command:check",
        query="rookery.jobs.jobs_command:query",
    ),
    command("top", jobs.TopOptions, "rookery.homes.top:run"),
    command("logs", jobs.LogsOptions, "rookery.jobs.monitor.logs:run"),
    command("cancel", jobs.CancelOptions, "rookery.jobs.monitor.cancel:run"),
    command("fetch", jobs.FetchOptions, "rookery.jobs.results.fetch:run", each="cluster"),
    command("combine", jobs.CombineOptions, "rookery.jobs.results.combine:run"),
    command("profile", jobs.ProfileOptions, "rookery.jobs.profiling.profile:run"),
    command("runs", jobs.RunsOptions, "rookery.jobs.records.show:run"),
    command("reproduce", jobs.ReproduceOptions, "rookery.jobs.records.reproduce:run"),
    command("scale", jobs.ScaleOptions, "rookery.jobs.scaling.scale:run"),
    command("shell", jobs.ShellOptions, "rookery.jobs.interactive.shell:run"),
    command(
        "queue",
        jobs.QueueOptions,
        "rookery.jobs.monitor.queue:run",
        each="cluster",
        query="rookery.jobs.monitor.queue:query",
    ),
    command(
        "quota",
        jobs.QuotaOptions,
        "rookery.jobs.monitor.quota:run",
        each="cluster",
        before="rookery.jobs.monitor.quota:check",
        query="rookery.jobs.monitor.quota:query",
    ),
)
"""Commands without a group."""

GROUPS = {
    "completion": (
        command("install", support.CompletionInstallOptions, "rookery.support.completion_command:install"),
        command("show", support.CompletionShowOptions, "rookery.support.completion_command:show"),
        command("remove", support.CompletionRemoveOptions, "rookery.support.completion_command:remove"),
    ),
    "config": (
        command("list", support.ConfigListOptions, "rookery.support.config_command:show_all"),
        command("get", support.ConfigGetOptions, "rookery.support.config_command:get"),
        command("set", support.ConfigSetOptions, "rookery.support.config_command:set_"),
        command("unset", support.ConfigUnsetOptions, "rookery.support.config_command:unset"),
    ),
    "data": (
        command(
            "list",
            jobs.DataListOptions,
            "rookery.jobs.data.listing:run",
            each="cluster",
            query="rookery.jobs.data.listing:query",
        ),
        command("push", jobs.DataPushOptions, "rookery.jobs.data.push:run", each="cluster"),
        command("verify", jobs.DataVerifyOptions, "rookery.jobs.data.verify:run", each="cluster"),
        command("rm", jobs.DataRmOptions, "rookery.jobs.data.remove:run", each="cluster"),
    ),
    "clusters": (
        command("list", homes.ClustersListOptions, "rookery.homes.listing:show_all"),
        command("show", homes.ClustersShowOptions, "rookery.homes.listing:show"),
        command("keys", homes.ClustersKeysOptions, "rookery.homes.profile_keys:run"),
        command("search", support.ClustersSearchOptions, "rookery.support.cluster_profiles.search:run"),
        command("add", support.ClustersAddOptions, "rookery.support.cluster_profiles.add:run"),
        command("check", support.ClustersCheckOptions, "rookery.support.cluster_profiles.check:run"),
        command("update", support.ClustersUpdateOptions, "rookery.support.cluster_profiles.check:update"),
        command("publish", support.ClustersPublishOptions, "rookery.support.cluster_profiles.publish:run"),
        command("guide", support.ClustersGuideOptions, "rookery.support.cluster_pages:run"),
    ),
    "sandbox": (
        command("up", sandbox.SandboxUpOptions, "rookery.sandbox.commands:up"),
        command("down", sandbox.SandboxDownOptions, "rookery.sandbox.commands:down"),
        command("list", sandbox.SandboxListOptions, "rookery.sandbox.commands:show_all"),
    ),
    "serve": (
        command("start", jobs.ServeOptions, "rookery.jobs.services.command:run"),
        command("list", jobs.ServeListOptions, "rookery.jobs.services.listing:run", each="cluster"),
        command("stop", jobs.ServeStopOptions, "rookery.jobs.services.listing:stop"),
    ),
    "ssh": (command("config", homes.SshConfigOptions, "rookery.homes.ssh_config:run"),),
    "vscode": (
        command("prune", homes.VscodePruneOptions, "rookery.homes.vscode.prune:run"),
        command("settings", homes.VscodeSettingsOptions, "rookery.homes.vscode.by_hand:settings"),
    ),
}
"""Commands that are called GROUP.NAME; the group's name alone means its `start`, or else its `list`."""

TITLES = {
    "Start": ("onboard", "login", "setup", "new", "init", "logout"),
    "Work": (
        "run",
        "render",
        "export",
        "lint",
        "deploy",
        "submit",
        "cancel",
        "shell",
        "tmux",
        "code",
        "serve.start",
        "serve.list",
        "serve.stop",
    ),
    "Data": ("data.push", "data.list", "data.verify", "data.rm"),
    "Results": ("fetch", "combine", "runs", "reproduce"),
    "Speed": ("scale", "profile"),
    "Look": ("jobs", "top", "logs", "queue", "quota", "report", "status", "doctor", "docs"),
    "Clusters": (
        "clusters.list",
        "clusters.show",
        "clusters.keys",
        "clusters.search",
        "clusters.add",
        "clusters.check",
        "clusters.update",
        "clusters.publish",
        "clusters.guide",
        "cohort",
        "undo",
        "vscode.settings",
        "vscode.prune",
    ),
    "This computer": (
        "ssh.config",
        "config.list",
        "config.get",
        "config.set",
        "config.unset",
        "completion.install",
        "completion.show",
        "completion.remove",
    ),
    "Sandbox": ("sandbox.up", "sandbox.list", "sandbox.down"),
}
"""The commands as the help lists them."""


def by_title() -> dict[str, list[tuple[str, type[Options]]]]:
    """Return the name and the options of each command under its title."""
    tasks = {task.name: task for task in COMMANDS}
    tasks |= {f"{group}.{task.name}": task for group, grouped in GROUPS.items() for task in grouped}
    return {title: [(name, tasks[name].options) for name in names] for title, names in TITLES.items()}
