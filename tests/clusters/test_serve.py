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
CELL = """\
import multiprocessing, os
x = 41
print(os.environ['SLURM_JOB_ID'], x + 1, flush=True)
child = multiprocessing.get_context('fork').Process(target=print, args=['child'], kwargs={'flush': True})
child.start()
child.join()
"""
HAS_ALL = f"{OUTPUT}?.includes('child') && {OUTPUT}"

SERVER_OF_ANOTHER_KIND = """
c.ServerApp.ip, c.ServerApp.port, c.ServerApp.base_url = '0.0.0.0', 9999, '/x'
c.ServerApp.certfile, c.ServerApp.open_browser = '/nonexistent', True
"""
"""What tutorials tell people to write into ~/.jupyter, to open JupyterLab on a cluster by hand."""

LISTENING = """
import glob, os
of_mine = set()
for path in glob.glob('/proc/[0-9]*/fd/*'):
    try:
        if open(path.split('/fd/')[0] + '/comm').read() != 'srun\\n':
            of_mine.add(os.readlink(path))
    except OSError:
        pass
for line in open('/proc/net/tcp').readlines()[1:] + open('/proc/net/tcp6').readlines()[1:]:
    fields = line.split()
    if fields[3] == '0A' and 'socket:[%s]' % fields[9] in of_mine:
        print(fields[1])
"""
"""Prints the addresses at which the user's programs listen; but not Slurm's own."""

IS_IN_A_CELL = "document.activeElement?.classList.contains('cm-content')"


RSERVER = """#!/usr/bin/python3
import http.server, json, os, socketserver, sys
options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:])
if "help" in options:
    print("--www-port", "" if os.path.exists(os.path.expanduser("~/older")) else "--www-socket")
    sys.exit()
session = dict(line.strip().partition("=")[::2] for line in open(options["rsession-config-file"]))
options["begins"] = session["session-default-working-dir"]
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(options).encode())
    def address_string(self):
        return "a socket"
if "www-socket" in options:
    server = socketserver.UnixStreamServer(options["www-socket"], Page)
else:
    server = http.server.HTTPServer((options["www-address"], int(options["www-port"])), Page)
server.serve_forever()
"""


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
    reader.ssh("mkdir -p ~/.jupyter && cat >~/.jupyter/jupyter_server_config.py", stdin=SERVER_OF_ANOTHER_KIND)
    with serving(reader, "lab") as first, browser(tmp_path / "browser") as page:
        page.open(first.url)
        page.click(".jp-LauncherCard[data-category=Notebook]")
        page.until("!!document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]')")
        run_cell(page, CELL)
        assert sorted(page.until(HAS_ALL).split()) == sorted([first.job, "42", "child"])
        assert reader.ssh("python3 -", stdin=LISTENING).stdout == ""
        assert "token" not in page.value("location.href")

        others_get_nothing(hec, reader, first)

        config = str(reader.home / ".config/rookery/ssh_config")
        subprocess.run(["ssh", "-F", config, "-O", "exit", reader.cluster], env=reader.environment, check=True)
        assert page.until("fetch('/api/kernels').then(r => r.json()).then(k => k.length, () => 0)") == 1
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        wait_for(lambda: is_refused(first.port))
        wait_for(lambda: not lines_of(reader))

        with serving(reader, "lab") as second:  # found again, at the same port, and with what was in memory
            assert (second.job, second.port, second.token == first.token) == (first.job, first.port, False)
            assert is_forbidden(second.port, f"rookery-{second.port}={first.token}")
            # as another tab of the browser does, which opens the new address: then the page that is still open works
            page.until(f"fetch({json.dumps('/rookery-open?token=' + second.token)}).then(answer => answer.ok)")
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
    for path in ("lab", "api/kernels", "rookery-open?token=x"):
        assert is_forbidden(service.port, "a=b", path)


def is_forbidden(port: int, cookie: str, path: str = "lab") -> bool:
    asked = ["curl", "--silent", "--output", os.devnull, "--write-out", "%{http_code}", "--cookie", cookie]
    answer = subprocess.run([*asked, f"http://127.0.0.1:{port}/{path}"], capture_output=True, text=True, check=False)
    return answer.stdout == "403"


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


@pytest.mark.parametrize("version", ["2024.12", "older"])
def test_rstudio_server_is_started_by_the_options_that_its_documentation_has(
    hec: Live, reader: Laptop, version: str
) -> None:
    """A program of that name stands for it: the real one can't be had here."""
    place = "/usr/lib/rstudio-server/bin"
    hec.root_run(["sh", "-c", f"mkdir -p {place}; cat >{place}/rserver; chmod 755 {place}/rserver"], stdin=RSERVER)
    reader.says("touch ~/older" if version == "older" else "rm -f ~/older")
    try:
        with serving(reader, "rstudio") as service:
            options = json.loads(opened(service))
            assert reader.ssh("python3 -", stdin=LISTENING).stdout == ""
            assert ("www-socket" in options, "www-port" in options) == (version != "older", version == "older")
            assert (options["auth-none"], options["server-user"], options["begins"]) == ("1", "reader", "/home/reader")
            reader.rookery("serve", "stop", "rstudio", "--cluster", "hec")
    finally:
        hec.root_run(["rm", "-r", place])


def test_what_can_not_be_is_refused_in_a_line(reader: Laptop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = reader.rookery("serve", "lab", "--local-port", port, "--cluster", reader.cluster)
    assert said.returncode == 1
    assert f"Can't use port {port} on this computer: address already in use." in said.stderr
    assert reader.says("squeue --noheader --me") == ""
