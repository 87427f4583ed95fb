"""Ask the user what a cluster can't say of itself: at most five questions, Enter for unknown."""

import getpass
from collections.abc import Mapping
from typing import Any

from rookery.clusters.config import literal_values
from rookery.clusters.config.profile import is_account
from rookery.clusters.ssh.config_syntax import is_username
from rookery.core import console, prompts

VPN = {"never": "never", "off campus": "off_campus", "always": "always", "": ""}
"""Answers to the question about a VPN, and what cluster_vpn.needed calls them."""


def user(host: str, hint: str = "") -> str:
    """Return the user's username on a host; "" where they do not know it.

    Args:
        host: The login node.
        hint: What a username looks like there, such as USER.PROJECT; "" where it is an ordinary one.
    """
    about = f"such as {hint}" if hint else f"on this computer it is {getpass.getuser()}"
    while answer := prompts.ask(f"Your username on {host} ({about})"):
        if is_username(answer):
            return answer
        console.note("A username consists of letters and digits, with . _ - in between.")
    return ""


def account(known: Mapping[str, Any] | None = None) -> str:
    """Return the account that jobs are charged to; "" where they do not know it.

    Args:
        known: The profile's cluster_account, with a hint or an example.
    """
    words = [str((known or {}).get("hint", "")), f"such as {known['example']}" if known and "example" in known else ""]
    about = ", ".join(filter(None, words))
    question = "The account (project) that your jobs are charged to"
    while answer := prompts.ask(f"{question} ({about})" if about else question):
        if is_account(answer):
            return answer
        console.note("An account consists of letters and digits, with . _ - in between.")
    return ""


def site(name: str) -> dict[str, Any]:
    """Return what the user says of a cluster, by key of its profile; what they do not know is left out."""
    console.note("Three questions about the cluster. Press Enter if you do not know.")
    answers: dict[str, Any] = {}
    if title := _line(
        f"The cluster's usual name, with its institution, such as {name.capitalize()} (Example University)"
    ):
        answers["cluster_title"] = title
    if address := _line("Address of its documentation"):
        answers["cluster_docs_url"] = address
    if needed := VPN[prompts.ask("Is a VPN needed", choices=tuple(VPN))]:
        answers["cluster_vpn"] = {"needed": needed}
    return answers


def _line(question: str) -> str:
    while literal_values.holds_template(answer := prompts.ask(question)):
        console.note("It can't contain {{, {% or {#, which Ansible would take for a template.")
    return "".join(character for character in answer if character.isprintable())[:300]
