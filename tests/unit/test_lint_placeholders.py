"""RK503: placeholders that an example has in place of names. RK502: mail. RK203: arguments in `#SBATCH` lines."""

import pytest
from linting import check, codes, fix

from rookery.jobs.lint.checks.placeholders import placeholder

JOB = """\
#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G {}
source /etc/profile
./simulate
"""


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (
            "mail-user",
            "YOUR_EMAIL_ADDRESS_HERE <netid>@lancaster.ac.uk your_email@uni.edu user@example.com XXXX xxx@gmail.com "
            "your.name@example.org EMAIL username@lancaster.ac.uk [email] youremail@domain.com FIX-YOUR-EMAIL "
            "email@address"
            " email@ufl.edu some_user@some_domain.com "
            "your-email abc123@york.ac.uk {email} a@b.ac.uk,user@example.com you@your-university.edu",
        ),
        (
            "account",
            "<project> ACCOUNT_NAME [project] FIX-ACCOUNT FIX-account FIXME "
            "XXXX your_account YOUR_PROJECT PROJECT_ID {account} CHANGEME "
            "yourproject your-CC-account ACCOUNT_HERE TODO project-<id> YOUR-ACCOUNT-HERE INSERT_ACCOUNT_HERE",
        ),
        (
            "output",
            "/home/<netid>/x.out /path/to/logs/%j.out /scratch/YOUR_USERNAME/x logs/<jobname>.out /u/USERNAME/a.log",
        ),
        ("chdir", "/path/to/project /home/your_username /home/[username]/x"),
        ("partition", "<partition>"),
        ("job-name", "<jobname> YOUR_JOB_NAME"),
        ("nodelist", "<node>"),
    ],
)
def test_placeholders(option: str, values: str) -> None:
    assert [value for value in values.split() if not placeholder(option, value)] == []
    assert placeholder("mail-user", "<your email>") == "<your email>"
    assert placeholder("account", "<budget code>")


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (
            "mail-user",
            "a.fixture@lancaster.ac.uk x@b.ac.uk user@lancaster.ac.uk jxxon@x.ac.uk todor@uni.bg name.user@uni.edu "
            "student yours@uni.edu mailer@x.ac.uk ann.example@lancs.ac.uk fix-it@lancaster.ac.uk",
        ),
        (
            "account",
            "fixture bdlan09 project0123 proj-x accounts youngproject FIXED def-user XX12 xcore mail stats ACCT yours",
        ),
        (
            "output",
            "logs/%x_%A_%a.out fixed/%j todo.txt /home/user/x.out your.out out_[1].txt xxxx.out /path/x mypath/tool/x "
            "RUN_HERE.log logs/output_here.log your_results/x.out",
        ),
        ("chdir", "/home/student/x"),
        ("comment", "<anything> YOUR_NAME"),
        ("constraint", "[rack1|rack2] a<b"),
        ("nodelist", "node[01-10]"),
        ("job-name", "INSERT_SIZE LOOK_HERE xxx todo fixture test my_project name yourself"),
        ("export", "ALL,A=<b>"),
        ("gres", "gpu:1"),
    ],
)
def test_real_names(option: str, values: str) -> None:
    assert [value for value in values.split() if placeholder(option, value)] == []


@pytest.mark.parametrize(
    ("option", "severity", "happens"),
    [
        ("--mail-type=END --mail-user=YOUR_EMAIL_ADDRESS_HERE", "warning", "Nobody gets the mail."),
        ("--account=<project>", "warning", "Slurm rejects the job if it has none of that name."),
        ("--qos=QOS_NAME", "warning", "Slurm rejects the job if it has none of that name."),
        ("--reservation=<reservation>", "warning", "Slurm rejects the job if it has none of that name."),
        ("--job-name=JOB_NAME_HERE", "warning", "Slurm takes it as it is written."),
        ("--job-name=<name>", "warning", "Slurm takes it as it is written."),
        ("--chdir=/path/to/code", "warning", "The folder is not there: the job starts in another one."),
        ("-o /path/to/%j.out", "error", "Slurm creates no folders: the job fails at once, without a log."),
        ("-o /scratch/<netid>/%j.out", "error", "Slurm creates no folders: the job fails at once, without a log."),
        ("-o /scratch/YOUR_NAME/%j.out", "error", "Slurm creates no folders: the job fails at once, without a log."),
        ("-o /scratch/your_name/%j.out", "warning", "Slurm takes it as it is written."),  # may be a folder's own name
        ("-o /home/x/YOUR_NAME.out", "warning", "Slurm takes it as it is written."),
    ],
)
def test_a_placeholder_in_a_line(option: str, severity: str, happens: str) -> None:
    text = JOB.format(option)
    findings = check(text)
    assert [(finding.code, finding.line, finding.severity) for finding in findings] == [("RK503", 3, severity)]
    assert findings[0].why.endswith(happens)
    assert fix(text) == text


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("--mem=<mem>", "RK207"),
        ("--time=<time>", "RK207"),
        ("--array=1-<N>", "RK207"),
        ("--nodelist=<node>", "RK315"),
        ("--clusters=<cluster>", "RK316"),
    ],
)
def test_a_placeholder_that_another_rule_refuses_is_reported_once(option: str, code: str) -> None:
    assert codes(JOB.replace("--mem=1G ", "").format(f"--mem=1G {option}" if "mem" not in option else option)) == [code]


def test_a_placeholder_for_an_account_that_slurm_must_have_is_an_error() -> None:
    text = "#!/bin/bash\n#SBATCH -p gpu --gres=gpu:1 --time=1:0:0 --account=<project>\npython work.py\n"
    assert ("RK503", "error") in [(finding.code, finding.severity) for finding in check(text, "bede")]


@pytest.mark.parametrize(
    ("command", "count"),
    [
        ("cd /path/to/code", 1),
        ("module add <module>", 1),
        ("cd /home/<username>/x", 1),
        ("source /path/to/venv/bin/activate", 1),
        ("DATA=/path/to/data", 1),
        ("conda activate your_env", 1),
        ("cd /home/your_username/code", 1),
        ("export API_KEY=YOUR_API_KEY_HERE", 1),
        ("./simulate --message 'your name'", 0),
        ("conda activate yours", 0),
        ("./simulate /data/path/to/x", 0),
        ("./a <input.txt>output.txt", 0),
        ("./a < name > out", 0),
        ("echo 'cd /path/to/code <name>'", 0),
        ("echo /path/to/code", 0),
        ("./a --template 'mypath/to/x'", 0),
        ("cat <<E\n<name> /path/to/x\nE", 0),
        ("# cd /path/to/code", 0),
    ],
)
def test_placeholders_in_commands(command: str, count: int) -> None:
    text = JOB.replace("./simulate", f"{command}\n./simulate").format("")
    assert codes(text).count("RK503") == count


def test_an_address_alone_sends_no_mail() -> None:
    text = JOB.format("--mail-user=a.b@lancaster.ac.uk")
    findings = check(text)
    assert [(finding.code, finding.line, finding.severity, finding.mended) for finding in findings] == [
        ("RK502", 3, "warning", "#SBATCH --mail-type=END,FAIL")
    ]
    assert fix(text) == text


@pytest.mark.parametrize(
    "options",
    [
        "--mail-type=END",  # goes to the user who submits
        "--mail-type=NONE",
        "--mail-user=a.b@lancaster.ac.uk --mail-type=END",
        "--mail-user=a.b@lancaster.ac.uk --mail-type=NONE",
        "",
    ],
)
def test_mail_that_is_sent_or_not_wanted(options: str) -> None:
    assert check(JOB.format(options)) == []


def test_where_arrays_may_send_no_mail_none_is_proposed() -> None:
    findings = check(JOB.format("--array=1-9 --mail-user=a.b@lancaster.ac.uk"))
    assert [(finding.code, finding.mended) for finding in findings] == [("RK502", None)]


@pytest.mark.parametrize(
    ("option", "severity"),
    [
        ("--job-name=$1", "warning"),
        ("--job-name=${1}_$2", "warning"),
        ("--output=$1.log", "warning"),
        ("--output=logs/$@.log", "warning"),
        ("--output=$1/x.log", "error"),
        ("--input=$1", "error"),
        ("--time=$1", "error"),
        ("--cpus-per-task=$2", "error"),
        ("--array=1-$1", "error"),
    ],
)
def test_arguments_of_the_script_in_a_line(option: str, severity: str) -> None:
    findings = [finding for finding in check(JOB.format(option)) if finding.code == "RK203"]
    assert [finding.severity for finding in findings] == [severity]
    name = option.partition("=")[0]
    assert findings[0].why.endswith(f"Pass the option to sbatch on the command line: sbatch {name}=VALUE job.sh")
    assert fix(JOB.format(option)) == JOB.format(option)


def test_a_dollar_that_is_no_argument() -> None:
    assert check(JOB.format("--comment='costs $5'").replace("./simulate", 'python x.py "$1"')) == []


def test_a_placeholder_for_a_job_s_number_is_refused() -> None:
    (finding,) = check(JOB.format("--dependency=afterok:<jobid>"))
    assert (finding.code, finding.severity) == ("RK503", "error")
    assert check(JOB.format("--dependency=afterok:1234")) == []
