"""The mail that asks for an account."""

import email
import email.policy
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from user_home import at_home

from rookery.clusters.cluster import Cluster
from rookery.clusters.config import profile
from rookery.support import account_request


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def cluster(**access: Any) -> Cluster:
    """Penguins, with other words on accounts."""
    known = profile.load("penguins")
    return replace(known, data=MappingProxyType({**known.data, "cluster_access": access}))


def test_penguins_names_whom_to_ask() -> None:
    mail = account_request.mail(
        profile.load("penguins"), name="Ada Lovelace", email="ada@example.ac.uk", user="lovelaca"
    )
    assert (mail.to, mail.subject) == (
        "Mariusz or Cyrus",
        "Account on Penguins (Lancaster, mathematics and statistics) for Ada Lovelace",
    )
    assert mail.text == (
        "To: Mariusz or Cyrus\n"
        "Subject: Account on Penguins (Lancaster, mathematics and statistics) for Ada Lovelace\n\n"
        "Hello,\n\n"
        "could I please have an account on Penguins (Lancaster, mathematics and\nstatistics)?\n\n"
        "  Name:       Ada Lovelace\n"
        "  Email:      ada@example.ac.uk\n"
        "  Username:   lovelaca\n\n"
        "Instructions that I found:\n"
        "  Ask Mariusz or Cyrus for an account.\n"
        "  http://ma-info.lancs.ac.uk/\n\n"
        "Thank you,\nAda Lovelace\n"
    )


def test_hec_is_asked_for_through_the_supervisor() -> None:
    hec = profile.load("hec")
    assert account_request.mail(hec, name="Ada").to == "your supervisor"
    mail = account_request.mail(hec, name="Ada", supervisor="Mary Somerville")
    assert mail.to == "Mary Somerville"
    assert "https://portal.lancaster.ac.uk/ask/hec" in mail.body
    # where the profile says somebody else is asked, the supervisor is only named
    mail = account_request.mail(profile.load("penguins"), name="Ada", supervisor="Mary Somerville")
    assert mail.to == "Mariusz or Cyrus"
    assert "Supervisor: Mary Somerville" in mail.body


def test_what_the_profile_does_not_know_is_not_made_up() -> None:
    silent = account_request.mail(cluster())
    assert silent.to == "the people who run Penguins (Lancaster, mathematics and statistics)"
    assert "What I was told" not in silent.body
    assert silent.body.count(account_request.NAME) == 2
    assert "Email" not in silent.body
    assert account_request.mail(cluster(url="https://example.ac.uk/form")).to == "https://example.ac.uk/form"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_no_value_begins_a_header_or_a_line(end: str) -> None:
    bad = f"Ada{end}Bcc: everyone@example.org{end}{end}Send money\x1b[31m\x00"
    mail = account_request.mail(profile.load("hec"), name=bad, email=bad, user=bad, supervisor=bad)
    read = email.message_from_string(mail.text, policy=email.policy.default)
    assert set(read.keys()) == {"To", "Subject"}
    assert not [line for line in mail.text.splitlines() if line.startswith(("Bcc", "Send"))]
    assert all(row.isprintable() for row in mail.text.split("\n"))


def test_a_value_has_an_end() -> None:
    assert len(account_request.mail(profile.load("hec"), name="A" * 1_000_000).text) < 3_000


@pytest.mark.parametrize("name", ["penguins", "hec", "hex", "bede"])
def test_the_body_is_wrapped_between_words_and_addresses_are_whole(name: str) -> None:
    known = profile.load(name)
    body = account_request.mail(known, name="Ada Lovelace").body
    url = known.data["cluster_access"].get("url", "")
    assert url in body.split() or not url
    assert all(len(line) <= account_request.WIDTH or line.strip() == url for line in body.splitlines())
    title = f"an account on {known.title}?"
    assert title in " ".join(body.split())
