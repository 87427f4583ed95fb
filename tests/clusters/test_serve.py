"""`serve` on a miniature: JupyterLab in a real browser, the line cut and back, and other users who get nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from browsers import Page, browser
from laptops import NO_TOOLS, Laptop, laptop
from live import Live
from waiting import wait_for

pytestmark = pytest.mark.cluster

OUTPUT = "[...document.querySelectorAll('.jp-OutputArea-output pre')].at(-1)?.innerText"
IS_IN_A_CELL = "document.activeElement?.classList.contains('cm-content')"


@dataclass(frozen=True)
class Serving:
    """A `serve` that runs, and what it printed."""

    process: "subprocess.Popen[str]"
    job: str
    node: str
    port: int
    url: str

    @property
    def token(self) -> str:
        return self.url.partition("token=")[2]


@contextmanager
def serving(person: Laptop, *arguments: str, behind: Sequence[str] = ()) -> Iterator[Serving]:
    process = person.start("serve", *arguments, "--cluster", person.cluster, "--json", *behind)
    try:
        assert process.stdout
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                break
        else:
            raise AssertionError(process.stderr and process.stderr.read())
        document = json.loads(text)
        yield Serving(process, *(document[key] for key in ("job", "node", "port", "url")))
    finally:
        process.kill()
        process.wait()


def run_cell(page: Page, code: str) -> None:
    """Write code into the first cell of the notebook, and run it."""

    def is_in_a_cell() -> bool:
        page.click(".jp-Notebook .cm-content")
        return bool(page.value(IS_IN_A_CELL))

    def has_run() -> bool:  # the first key may come before JupyterLab listens to it
        page.click(".jp-Notebook .jp-CodeCell:first-child .cm-content")
        page.run_cell()
        return "[ ]" not in page.value("document.querySelector('.jp-CodeCell .jp-InputPrompt').innerText")

    wait_for(is_in_a_cell)
    page.write(code)
    wait_for(has_run)


def is_refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def reader(hec: Live) -> Laptop:
    person = laptop(hec, "reader", settings=NO_TOOLS)
    person.setup("--tags", "shell,storage,python")
    return person


def test_lab_opens_survives_a_cut_line_and_is_found_again(hec: Live, reader: Laptop, tmp_path: Path) -> None:
    with serving(reader, "lab") as first, browser(tmp_path / "browser") as page:
        page.open(first.url)
        page.click(".jp-LauncherCard[data-category=Notebook]")
        page.until("!!document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]')")
        run_cell(page, "import os; x = 41; print(os.environ['SLURM_JOB_ID'], x + 1)")
        assert page.until(OUTPUT).split() == [first.job, "42"]
        assert "token" not in page.value("location.href")

        others_get_nothing(hec, reader, first)

        config = str(reader.home / ".config/rookery/ssh_config")
        subprocess.run(["ssh", "-F", config, "-O", "exit", reader.cluster], env=reader.environment, check=True)
        assert page.until("fetch('/api/kernels').then(r => r.json()).then(k => k.length, () => 0)") == 1
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        wait_for(lambda: is_refused(first.port))
        wait_for(lambda: not lines_of(reader))

        with serving(reader, "lab") as second:  # found again, at the same address, and with what was in memory
            assert (second.job, second.url) == (first.job, first.url)
            kernels = page.until("fetch('/api/kernels').then(r => r.json()).then(k => k.map(e => e.execution_state))")
            assert len(kernels) == 1
            listed = json.loads(reader.rookery("serve", "list", "--cluster", reader.cluster, "--json").stdout)
            (service,) = listed["services"]
            assert (service.pop("end") > 0, service) == (
                True,
                {"name": "lab", "cluster": "hec", "job": first.job, "state": "RUNNING", "node": first.node, "why": ""},
            )
            stopped = reader.rookery("serve", "stop", "--cluster", reader.cluster)
            assert f"Stopped lab on hec (job {first.job})" in stopped.stdout
            _, said = second.process.communicate(timeout=120)
            assert second.process.returncode == 1
            assert f"Job {first.job} has ended, and JupyterLab with it." in said
    assert "No services on hec" in reader.rookery("serve", "list", "--cluster", reader.cluster).stdout


def lines_of(person: Laptop) -> list[str]:
    """The ssh processes of a laptop that forward a service."""
    output = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in output.splitlines() if "/serve-" in line and str(person.home) in line]


def others_get_nothing(hec: Live, person: Laptop, service: Serving) -> None:
    """Another user of the node, and of this computer, reaches the service neither here nor there."""
    other = hec.add_user("nosy")
    there = person.says(f"readlink ~/.local/state/rookery/node/{service.job}/serve")
    on_node = f"srun --quiet --nodelist={service.node} --mem=100 --time=1 --"
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect({there!r})"
    said = other.run(f'{on_node} python3 -c "{connect}" 2>&1 || true')
    assert "PermissionError" in said or "FileNotFoundError" in said
    shown = other.run("ps axeww -o args; squeue --noheader --format=%all; scontrol show job --details")
    assert "rookery-serve-lab" in shown
    assert service.token not in shown
    assert service.token not in subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    log = person.says(f"cat ~/.local/state/rookery/node/{service.job}.log; scontrol write batch_script {service.job} -")
    assert "JupyterLab" in log
    assert service.token not in log
    asked = ["curl", "--silent", "--output", os.devnull, "--write-out", "%{http_code}"]
    for path in ("lab", "api/kernels", "rookery-open?token=x"):
        answer = subprocess.run([*asked, f"http://127.0.0.1:{service.port}/{path}"], capture_output=True, check=False)
        assert answer.stdout == b"403"


def test_a_program_that_knows_only_ports_is_reached_by_its_user_alone(reader: Laptop, tmp_path: Path) -> None:
    reader.says("mkdir -p ~/site; echo mine >~/site/index.html")
    command = ["--", "python3", "-m", "http.server", "18233"]
    web = ["--name", "web", "--port", "18233", "--folder", "site"]
    with serving(reader, *web, behind=command) as first:
        assert opened(first) == "mine\n"
        assert is_refused(18233)
        other = reader.rookery("serve", *web, "--cluster", "hec", "--", "python3", "-m", "http.server", "18234")
        assert (other.returncode, "is already running" in other.stderr) == (1, True)
        with serving(second_laptop(reader, tmp_path), *web, behind=command) as second:
            assert second.job == first.job
            assert second.token != first.token
            assert opened(second) == "mine\n"
    assert f"job {first.job}" in reader.rookery("serve", "stop", "web", "--cluster", "hec").stdout


def opened(service: Serving) -> str:
    """The page of a service, as a browser gets it that was shown the token."""
    cookie = f"rookery-{service.port}={service.token}"
    asked = ["curl", "--silent", "--show-error", "--cookie", cookie, f"http://127.0.0.1:{service.port}/"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def second_laptop(person: Laptop, folder: Path) -> Laptop:
    """Another computer of the same person's, with settings alone."""
    home = folder / "second"
    shutil.copytree(person.home / ".config/rookery/inventory", home / ".config/rookery/inventory")
    return replace(person, home=home)


def test_what_does_not_start_says_why(reader: Laptop) -> None:
    said = reader.rookery("serve", "--cluster", "hec", "--", "echo it was here; exit 3")
    assert said.returncode == 1
    assert "did not start: job" in said.stderr
    assert "  | it was here\n  | The program has ended (exit status 3)." in said.stderr
    assert "RStudio Server (rserver) is not on PATH" in reader.rookery("serve", "rstudio", "--cluster", "hec").stderr


def test_what_can_not_be_is_refused_in_a_line(reader: Laptop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = reader.rookery("serve", "lab", "--local-port", port, "--cluster", reader.cluster)
    assert said.returncode == 1
    assert f"Can't use port {port} on this computer: address already in use." in said.stderr
    assert reader.says("squeue --noheader --me") == ""
