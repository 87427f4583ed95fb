"""What this release installs: the form of the file that names it, and the addresses that mirrors may have."""

import json
import re

import pytest

from rookery.clusters.config import mirror_addresses
from rookery.core import paths

PINS = json.loads((paths.root() / "roles/python/files/pins.json").read_text(encoding="utf-8"))
DIGEST = re.compile(r"[0-9a-f]{64}")


def test_uv_has_a_digest_for_each_kind_of_cluster() -> None:
    version, wheels = PINS["uv"]["version"], PINS["uv"]["wheels"]
    assert all(name.startswith(f"uv-{version}-py3-none-") and DIGEST.fullmatch(wheels[name]) for name in wheels)
    for machine in ("x86_64", "aarch64", "ppc64le"):
        assert [name for name in wheels if re.search(rf"manylinux\S*_{machine}\.whl$", name)], machine
    for machine in ("x86_64", "aarch64"):  # uv is not built for ppc64le with musl
        assert [name for name in wheels if re.search(rf"musllinux\S*_{machine}\.whl$", name)], machine


def test_pyenv_is_a_commit() -> None:
    assert re.fullmatch(r"v\d+\.\d+\.\d+", PINS["pyenv"]["tag"])
    assert re.fullmatch(r"[0-9a-f]{40}", PINS["pyenv"]["commit"])


@pytest.mark.parametrize("name", ["pipx", "poetry"])
def test_a_tool_is_pinned_with_all_that_it_needs(name: str) -> None:
    tool = PINS["tools"][name]
    for requirement, digests in tool["requirements"].items():
        assert re.fullmatch(r"[a-z0-9-]+==[^ ;]+( ; .+)?", requirement)
        assert digests, requirement
        assert all(DIGEST.fullmatch(digest) for digest in digests), requirement
    minors = [step["python"] for step in tool["versions"]]
    assert minors == sorted(set(minors))
    pinned = {requirement.partition(" ")[0] for requirement in tool["requirements"]}
    assert {f"{name}=={step['version']}" for step in tool["versions"]} == {
        requirement for requirement in pinned if requirement.startswith(f"{name}==")
    }


SAFE = {
    "pypi": [
        "https://pypi.org/simple",
        "HTTPS://mirror.example.org",
        "http://127.0.0.1:8080/simple",
        "http://127.8.9.1/simple",
        "http://[::1]:8080/simple",
        "http://localhost/simple",
        "file:///srv/mirrors/simple",
    ],
    "uv_python_downloads": ["/srv/mirrors/downloads.json"],
    "pyenv_git": ["ssh://git.example.org/pyenv.git", "git@git.example.org:pyenv/pyenv.git", "file:///srv/pyenv.git"],
    "pyenv_commit": ["bec9a562a59e48a730fe3320fe90c6999c82886c"],
}
UNSAFE = {
    "pypi": [
        "http://pypi.org/simple",
        "HTTP://pypi.org/simple",
        "http://127.0.0.1.example.org/simple",
        "http://localhost.example.org",
        "http://127.0.0.1@example.org/simple",
        "http://0x7f.1/simple",
        "http://[::ffff:10.0.0.1]/simple",
        "http://[",
        " https://pypi.org/simple",
        "https://pypi.org/simple\nhttp://example.org",
        "ftp://pypi.org/simple",
        "ssh://pypi.org/simple",
        "pypi.org/simple",
        "",
    ],
    "pyenv_git": [
        "git://github.com/pyenv/pyenv.git",
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "--upload-pack=touch",
        "http://h/x",
    ],
    "cran": ["http://cran.r-project.org", "rsync://cran.r-project.org"],
    "pyenv_commit": ["v2.8.1", "bec9a56", "BEC9A562A59E48A730FE3320FE90C6999C82886C", "--help"],
}


@pytest.mark.parametrize(
    ("key", "address"), [(key, address) for key, addresses in SAFE.items() for address in addresses]
)
def test_a_safe_address(key: str, address: str) -> None:
    assert not mirror_addresses.problem(key, address)


@pytest.mark.parametrize(
    ("key", "address"), [(key, address) for key, addresses in UNSAFE.items() for address in addresses]
)
def test_an_address_that_somebody_between_could_change(key: str, address: str) -> None:
    assert mirror_addresses.problem(key, address)
