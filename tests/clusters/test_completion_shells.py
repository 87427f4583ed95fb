"""Completion in zsh and fish, which a miniature has: the real shells, with a program that answers as rookery would."""

import pytest
from live import Account, Live

from rookery.core import paths

pytestmark = pytest.mark.cluster

PROGRAM = """#!/bin/sh
printf '%s\\n' "$*" >>~/asked
case $* in
  *setup*) printf 'hec\\tone cluster\\nhex\\tanother: with a colon\\n' ;;
  *lint*) echo :files ;;
esac
"""

PRESS_TAB = """
zmodload zsh/zpty
zpty session zsh -f -i
zpty -w session 'PATH=~/bin:$PATH; . ~/rookery.zsh; cd ~/folder; echo DEFINED'
zpty -r session text '*DEFINED*DEFINED*'
zpty -w -n session $'%s\\t\\t'
repeat 600; do zpty -r -t session more && seen+=$more; sleep 0.1; [[ $seen == *'%s'* ]] && break; done
print -r -- $seen
zpty -d session
"""


@pytest.fixture(scope="module")
def account(penguins: Live) -> Account:
    account = penguins.add_user("tabea")
    for shell in ("zsh", "fish"):
        text = (paths.root() / "templates/completion" / f"rookery.{shell}").read_text()
        account.run(f"cat >~/rookery.{shell} <<'EOF'\n{text}EOF")
    account.run(f"mkdir -p ~/bin ~/folder && touch ~/folder/job.sh && cat >~/bin/rookery <<'EOF'\n{PROGRAM}EOF")
    account.run("chmod +x ~/bin/rookery")
    return account


@pytest.mark.parametrize(("line", "expected"), [("rookery setup h", "hec\tone cluster"), ("rookery lint jo", "job.sh")])
def test_fish(account: Account, line: str, expected: str) -> None:
    shown = account.run(
        f"cd ~/folder; PATH=~/bin:$PATH fish -c 'source ~/rookery.fish; complete --do-complete \"{line}\"'"
    )
    assert expected in shown.splitlines()
    assert account.run("tail -n 1 ~/asked") == f"--complete -- {line}"


@pytest.mark.parametrize(("line", "expected"), [("rookery setup h", "one cluster"), ("rookery lint jo", "job.sh")])
def test_zsh(account: Account, line: str, expected: str) -> None:
    script = PRESS_TAB % (line, expected)
    shown = account.run(f"cat >~/press <<'EOF'\n{script}EOF\nrm -f ~/asked; zsh -f ~/press", timeout=120)
    assert expected in shown
    assert f"--complete -- {line}" in account.run("cat ~/asked").splitlines()
