"""What is nobody else's business does not get into a report."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.support.doctor import report
from rookery.support.doctor.redaction import redactor

LETTERS = string.ascii_letters + string.digits
OURS = " ".join(("<user>", "<home>", "<this computer>", "<email>", "<key>", "<address>", "<secret>"))
names = st.text(string.ascii_lowercase + string.digits, min_size=5, max_size=14).filter(
    lambda text: not text.isdigit() and text not in OURS
)
words = st.text(string.ascii_letters + " /:.,'\"()=-_\n", max_size=30)
blobs = st.text(LETTERS + "+/", min_size=43, max_size=43)
emails = st.builds(lambda name, host: f"{name}@{host}.ac.uk", names, names)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str).filter(lambda text: len(text) > 4)
fingerprints = blobs.map(lambda blob: f"SHA256:{blob}")
keys = blobs.map(lambda blob: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{blob}")
tokens = st.one_of(
    st.text(LETTERS, min_size=36, max_size=36).map(lambda text: f"ghp_{text}"),
    st.text("0123456789abcdef", min_size=40, max_size=40),
    st.text(LETTERS, min_size=16, max_size=16).map(lambda text: f"aB3{text}Zz9{text}"),
)


@given(
    user=names,
    host=names,
    secrets=st.lists(st.one_of(emails, addresses, fingerprints, keys, tokens), max_size=4),
    between=words,
)
def test_nothing_of_a_person_is_left(user: str, host: str, secrets: list[str], between: str) -> None:
    """Wherever it stands, apart from other words by a blank, and also in a path."""
    redact = redactor([user], [f"/data/people/{user}"], [host])
    text = f" {between} ".join(
        [f"{user}'s", f"/data/people/{user}/x", f"/home/{user}/y", f"{host}:22", *secrets, "end"]
    )
    redacted = redact(text)
    assert user not in redacted.lower()
    assert host not in redacted.lower()
    for secret in secrets:
        assert secret not in redacted
    assert redacted.endswith("end")
    assert redact(redacted) == redacted


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    redacted = redactor(["ada"], ["/home/ada"], ["box"])(text)
    assert "/home/ada" not in redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("rsync 3.2.7, glibc 2.36, 12 of 40 files", "rsync 3.2.7, glibc 2.36, 12 of 40 files"),
        ("channel of ann: /home/ann/.ssh/id_ed25519", "channel of <user>: <home>/.ssh/id_ed25519"),
        ("ssh -F /Users/ann/x penguins", "ssh -F <home>/x penguins"),
        ("icefloe-fe.lancs.ac.uk (port 22)", "icefloe-fe.lancs.ac.uk (port 22)"),
        ("Ann@box.lan from 192.168.1.7 or fe80::1ff:fe23:4567:890a%eth2", "<email> from <address> or <address>"),
        ("on box.lan and BOX", "on <this computer> and <this computer>"),
        ("password=hunter2, then TOKEN: abc", "password=<secret>, then TOKEN:<secret>"),
        ("https://ann:pw@host.org/simple", "https://<secret>@host.org/simple"),
        ("x86_64-pc-linux-gnu-library and python3.13", "x86_64-pc-linux-gnu-library and python3.13"),
        ("12:30:45 and 00:00", "12:30:45 and 00:00"),
        ("~/.cache leads to /storage/hpc/24/ann/.cache", "~/.cache leads to /storage/hpc/24/<user>/.cache"),
        ("key SHA256:7WfYu6mSC8t0Ip5DI2ejo99Lk4UEwknSzJPGWSA9/28 (ssh-ed25519)", "key <key> (ssh-ed25519)"),
    ],
)
def test_what_is_taken_out_and_what_is_not(text: str, redacted: str) -> None:
    assert redactor(["ann"], ["/home/ann"], ["box.lan", "box"])(text) == redacted


def test_a_name_that_is_a_word_of_ours_breaks_nothing() -> None:
    """Names, titles and states are the program's; only what was found is read."""
    check = {"name": "home", "title": "your home", "state": "fault", "found": "home is full", "fix": "ssh home"}
    document = {"version": 1, "laptop": [], "clusters": {"home": {"state": "faults", "checks": [check]}}}
    clean = report.redacted(document, redactor(["home", "fault"], [], ["state"]))
    assert clean["clusters"]["home"] == {
        "state": "faults",
        "checks": [{**check, "found": "<user> is full", "fix": "ssh <user>"}],
    }
    json.dumps(clean)
