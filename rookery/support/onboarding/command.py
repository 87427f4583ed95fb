"""The command `onboard`: from a laptop with nothing on it to a first result from a cluster.

Each step looks at what there is, does what is missing, and prints what it did and where. How far an earlier run came is
seen from what there is alone, so the same command continues from anywhere.
"""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.clusters.config import profile
from rookery.core import console, invocation, paths, wrapping
from rookery.core.errors import RookeryError
from rookery.sandbox import lifecycle
from rookery.support.account_request import mail
from rookery.support.onboarding import details, first_project, steps
from rookery.support.options import OnboardOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.support.onboarding.first_project import Study


def run(options: OnboardOptions) -> int:
    """Guide a user from nothing to a first result.

    Returns:
        The exit code: 0; 1 where they have no account there yet.

    Raises:
        RookeryError: What stopped it; what was done stays done.
    """
    console.write_each_line()  # each step is seen when it is done
    name = details.cluster_name(options)
    options = replace(options, cluster=name)
    if options.check:
        _print_plan(profile.load(name), options)  # a miniature need not be running
        return 0
    if options.sandbox:
        if options.user or options.key or options.account:
            raise RookeryError(
                "Use --user, --key and --account without --sandbox: a miniature has its own.",
                hint=details.again(replace(options, user="", key="", account=""), name),
            )
        lifecycle.ensure([name], yes=options.yes, offline_mirrors=options.offline_mirrors)
    cluster = profile.load(name, profile.sources(options.sandbox))
    if options.request:
        return _print_request(cluster, options)
    runs_jobs = options.run and cluster.scheduler == "slurm"
    if runs_jobs:
        details.check(options)
    onboarding = steps.Onboarding(options, cluster, 6 + 2 * runs_jobs)
    with invocation.guiding():
        try:
            steps.who(onboarding)
        except details.NoAccount:
            _print_request(cluster, options)
            return 1
        steps.your_key(onboarding)
        steps.log_in(onboarding)
        steps.ssh_by_name(onboarding)
        steps.home(onboarding)
        study = steps.first_result(onboarding) if runs_jobs else None
    _print_end(onboarding, study, options)
    return 0


def _print_plan(cluster: "Cluster", options: OnboardOptions) -> None:
    """Print what the steps would do; the cluster is not asked."""
    name = cluster.name
    plan = [
        f"ask for your username on {cluster.title} ({cluster.host}), and remember it",
        "find your ssh key, or make one",
        f"log in (this may ask for a password or a code), and add the key to your account on {name}",
        f"make `ssh {name}` work: an entry in ~/.config/rookery, and a line in ~/.ssh/config",
        f"set up your home on {name}, as `invoke setup {name}` does",
    ]
    if options.sandbox:  # which has a key and an ssh configuration already; the user's are not touched
        plan = [
            f"start the miniature of {name}, if it is not running",
            "log in to it with its own key",
            f"set up your home in it, as `invoke setup {name} --sandbox` does",
        ]
    if options.run and cluster.scheduler == "slurm":
        plan.append("create a first project, deploy it, run its job, and fetch and combine the results")
    print("Would do these steps, except for what is done already:")
    for number, step in enumerate(plan, 1):
        print(f"  {number}. {invocation.as_typed(step)}")


def _print_request(cluster: "Cluster", options: OnboardOptions) -> int:
    """Print whom to ask for an account, and the mail to send."""
    access = cluster.data.get("cluster_access") or {}
    console.say(f"To get an account on {cluster.title}: {access.get('how') or 'ask the people who run it.'}")
    if access.get("url"):
        console.say(f"See {access['url']}")
    console.say("You can send this email:", "")
    name, email = details.known_author(options)
    print(wrapping.fit(console.clean(mail(cluster, name=name, email=email, user=options.user).text), sys.stdout))
    then = invocation.as_typed(details.again(replace(options, request=False), cluster.name))
    console.say(f"  next: {then}   # when you have the account")
    return 0


def _print_end(onboarding: steps.Onboarding, study: "Study | None", options: OnboardOptions) -> None:
    """Print what there is now, and the next steps."""
    name = onboarding.cluster.name
    first = f", and {study.root.name} has its first result" if study else ""
    console.say(f"{'Done' if onboarding.changed else 'Nothing to do'}: your home on {name} is ready{first}.")
    if study:
        console.say("Next steps:", f"  cd {paths.typed(study.root)}")
        for line in first_project.next_steps(study, onboarding.cluster):
            is_command = line.startswith("    ")
            print(console.clean(f"  {line}")) if is_command else console.say(f"  {line}")
    elif options.run and onboarding.cluster.sandbox:
        console.say(f"  next: {details.ssh_command(onboarding.cluster)}")
    else:
        console.say(f"  next: {invocation.invocation()} new my-study --cluster {name}")
