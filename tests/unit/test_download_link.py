"""When downloads go through the laptop, and when that is suggested."""

from collections.abc import Iterator
from typing import Any

import pytest
from projects import cluster

from rookery.clusters.login_node import facts
from rookery.clusters.ssh import download_link
from rookery.core import typed_command

PROXY = "http://proxy.example.org:3128"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    typed_command.forget()


@pytest.mark.parametrize(
    ("data", "offline", "wanted"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"internet": {"login": "no"}}, False, True),
        ({"internet": {"login": "no"}, "proxy": PROXY}, False, False),
        ({"internet": {"login": "no"}, "proxy": PROXY}, True, True),
        ({"internet": {"login": "http"}}, False, False),
        ({"internet": {"login": "unknown", "compute": "no"}}, False, False),
    ],
)
def test_when_the_laptop_is_used(data: dict[str, Any], offline: bool, wanted: bool) -> None:
    assert download_link.is_wanted(cluster(**data), offline=offline) == wanted


def test_a_download_that_failed_suggests_the_other_way() -> None:
    options = {"--offline": False, "--sandbox": False}
    typed_command.note(["deploy", "here"], options, {})
    assert download_link.suggestion(cluster()) == "invoke deploy here --offline   # if here has no internet"
    assert not download_link.suggestion(cluster(internet={"login": "no"}))
    typed_command.note(["deploy", "here", "--offline"], options, {})
    assert not download_link.suggestion(cluster())
    typed_command.note(["onboard", "here"], {}, {})
    assert not download_link.suggestion(cluster())


@pytest.mark.parametrize(
    ("profile", "found", "proxy"),
    [
        ({}, "", ""),
        ({}, PROXY, PROXY),
        ({"cluster_proxy": PROXY}, "http://other:1", PROXY),
        ({}, "http://x'; rm -rf ~", ""),
        ({}, "http://me:secret@x:1", ""),
    ],
)
def test_the_web_proxy_of_a_site(profile: dict[str, str], found: str, proxy: str) -> None:
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    assert facts.proxy_variables({"proxy": found}, profile) == (dict.fromkeys(names, proxy) if proxy else {})
