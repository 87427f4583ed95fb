"""A cohort file read: what is wrong with it is told with file, line and key."""

import json
import os
from pathlib import Path

import pytest
from fuzzing import in_time
from jsonschema import Draft202012Validator
from user_home import at_home

from rookery.core.errors import RookeryError
from rookery.support.cohort import cohort_file
from rookery.support.cohort.student import LONGEST, Student, slug, slugs

KNOWN = ("penguins", "hec")
ADA = {
    "name": "Ada Lovelace",
    "email": "ada@example.ac.uk",
    "clusters": "[penguins, hec]",
    "project": "engines",
    "language": "python",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return at_home(tmp_path, monkeypatch)


def listed(*students: dict[str, str]) -> str:
    """A list of students, a line a key: the first key of the first stands on line 1."""
    return "".join(
        "".join(f"{'- ' if not n else '  '}{key}: {value}\n" for n, (key, value) in enumerate(student.items()))
        for student in students
    )


def load(text: str | bytes) -> tuple[Student, ...]:
    Path("students.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return cohort_file.load("students.yml", KNOWN)


def refused(text: str | bytes) -> str:
    with pytest.raises(RookeryError) as caught:
        load(text)
    assert caught.value.hint
    assert all(line.isprintable() for line in caught.value.message.split("\n"))
    return caught.value.message


def test_a_list_of_students() -> None:
    second = {**ADA, "email": "grace@x.org", "name": "Grace", "clusters": "hec", "language": "R"}
    ada, grace = load("# mine\n---\n" + listed(ADA, {**second, "user": "0123", "supervisor": "Mary O'Neil"}))
    assert ada == Student("Ada Lovelace", "ada@example.ac.uk", KNOWN, "engines", "python", slug="ada-lovelace")
    assert (grace.clusters, grace.language, grace.user, grace.supervisor) == (("hec",), "r", "0123", "Mary O'Neil")


def test_the_list_may_be_under_its_name_as_the_schema_for_editors_has_it() -> None:
    assert load(f"students:\n{listed(ADA)}") == load(listed(ADA))
    message = refused(f"students:\n{listed({**ADA, 'language': 'perl'})}studnets: 1\npassword: hunter2\n")
    assert [line.partition(": ")[0] for line in message.splitlines()] == [f"students.yml:{n}" for n in (6, 7, 8)]
    assert "hunter2" not in message
    assert refused("students:\n").startswith("students.yml lists no students.")


def test_a_slip_in_username_means_user() -> None:
    assert "unknown key `usrname` (did you mean `user`?)" in refused(listed({**ADA, "usrname": "ada"}))


def test_text_stays_what_was_written() -> None:
    (no,) = load(listed({**ADA, "name": "No", "user": "1e3", "project": "on"}))
    assert (no.name, no.user, no.project) == ("No", "1e3", "on")


def test_a_byte_order_mark_and_windows_lines_are_nothing() -> None:
    assert load(b"\xef\xbb\xbf" + listed(ADA).replace("\n", "\r\n").encode()) == load(listed(ADA))


@pytest.mark.parametrize(
    "name",
    [
        "李明",
        "Łukasz Ünal",
        "Siân O'Brien-Jones",
        "J. R. R. Tolkien Jr.",
        "Ravi s/o Kumar",
        "Nguyễn Văn A",
        "../x",
        "/etc/passwd",
    ],
)
def test_names_as_people_have_them(name: str) -> None:
    assert load(listed({**ADA, "name": json.dumps(name)}))[0].name == name


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!A0",
        "=1+1",
        "+447700900000",
        "-oProxyCommand=x",
        "@SUM(1)",
        "<script>alert(1)</script>",
        "Ada\nBcc: all@example.org",
        "Ada\n",
        "Ada\rLovelace",
        "Ada\u2028Lovelace",
        "Ada\u202ecevol",
        "Ada \x1b[31m",
        "Ada\x00",
        "$(reboot)",
        "`reboot`",
        "A" * 101,
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    message = refused(listed({**ADA, "name": json.dumps(name)}))
    assert message.startswith("students.yml:1: `name` ")
    assert message.isprintable()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"email": "ada"}, "students.yml:2: `email` must be one email address, not 'ada'"),
        ({"email": "-x@example.org"}, "students.yml:2: `email` must be one email address"),
        ({"email": '"a@b.org\\nBcc: c@d.org"'}, "students.yml:2: `email` must be one email address"),
        ({"email": '"a@b.org\\n"'}, "students.yml:2: `email` must be one email address"),
        ({"email": ""}, "students.yml:2: `email` has no value (expected one email address)"),
        ({"clusters": "[]"}, "students.yml:3: `clusters` is empty"),
        ({"clusters": "[hec, hec]"}, "students.yml:3: `clusters` lists 'hec' twice"),
        (
            {"clusters": "penguins, hec"},
            "students.yml:3: `clusters` must be the name of a cluster, or a list",
        ),
        ({"clusters": "{hec: 1}"}, "students.yml:3: `clusters` must be text or a list"),
        ({"clusters": "[[hec]]"}, "students.yml:3: `clusters` must be text or a list"),
        (
            {"clusters": "[penguins, hecc]"},
            "students.yml:3: unknown cluster 'hecc' (did you mean `hec`?)",
        ),
        ({"project": "../up"}, "students.yml:4: `project` must be letters, digits, - and _"),
        ({"project": "-rf"}, "students.yml:4: `project` must be letters"),
        ({"language": "perl"}, "students.yml:5: `language` must be one of python, r, not 'perl'"),
        ({"user": "a b"}, "students.yml:6: `user` must be a username"),
        ({"nme": "x"}, "students.yml:6: unknown key `nme` (did you mean `name`?)"),
        ({"name": "[Ada]"}, "students.yml:1: `name` must be a name on one line"),
        ({"user": "!!int 5"}, "students.yml:6: the tag !!int is not allowed (write the value itself)"),
        ({"user": "!!binary aGk="}, "students.yml:6: the tag !!binary is not allowed"),
        (
            {"user": "!!python/object/apply:os.system [id]"},
            "students.yml:6: the tag !!python/object/apply:os.system is not allowed",
        ),
        ({"user": "{{ lookup('pipe', 'id') }}"}, "students.yml:6: this is not YAML"),
        ({"supervisor": "Bo\n  supervisor: Cy"}, "students.yml:7: `supervisor` is set twice (first on line 6)"),
        ({"<<": "{user: a}"}, "students.yml:6: `<<` must be text"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(changed: dict[str, str], message: str) -> None:
    assert refused(listed({**ADA, **changed})).startswith(message)


@pytest.mark.parametrize("key", ["name", "email", "clusters", "project", "language"])
def test_what_is_missing_is_told(key: str) -> None:
    message = refused(
        listed({**ADA, "email": "other@example.org"}, {name: value for name, value in ADA.items() if name != key})
    )
    assert message.startswith(f"students.yml:6: missing key `{key}` (")


@pytest.mark.parametrize(
    "key", ["password", "Password", "passphrase", "token", "totp", "api_key", "private-key", "pin"]
)
def test_secrets_are_not_taken(key: str) -> None:
    message = refused(listed({**ADA, key: "hunter2"}))
    assert (
        message == f"students.yml:6: `{key}` is not allowed: rookery needs nobody's password, key or code "
        "(delete it, and have it changed if others could read it)"
    )


def test_an_address_is_one_persons() -> None:
    message = refused(listed(ADA, {**ADA, "name": "Grace", "email": "ADA@example.ac.uk"}))
    assert message == "students.yml:7: 'ADA@example.ac.uk' is also the address of another student (line 2)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "students.yml lists no students."),
        ("# nobody yet\n", "students.yml lists no students."),
        ("[]", "students.yml lists no students."),
        ("just text", "students.yml:1: expected a list of students"),
        ("- Ada Lovelace\n", "students.yml:1: `students[0]` must be a student"),
        ("- name: [\n", "students.yml:2: this is not YAML"),
        ("- name: A\n--- \n- name: B\n", "students.yml:2: this is not YAML"),
        (b"- name: \xff\xfe\n", "students.yml is not text in UTF-8."),
        ("- &a [*a]\n", "students.yml:1: *a is inside the value that it repeats"),
        ("- &a {name: *a}\n", "students.yml:1: *a is inside the value that it repeats"),
        ("- null\n", "students.yml:1: `students[0]` must be a student"),
        ("- " * 100_000, "students.yml:1: nested too deeply"),
    ],
)
def test_what_is_no_list_of_students(text: str | bytes, message: str) -> None:
    assert refused(text).startswith(message)


def test_tabs_are_called_by_their_name() -> None:
    Path("students.yml").write_text("- name: A\n\temail: a@b.org\n")
    with pytest.raises(RookeryError, match=r"^students.yml:2: this is not YAML") as caught:
        cohort_file.load("students.yml", KNOWN)
    assert "tabs" in str(caught.value.hint)


def test_aliases_that_multiply_are_refused_at_once() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n  " for n in range(1, 30))
    with in_time():
        assert refused(f"- a0: &a0 [x]\n  {levels}name: *a29\n").startswith("students.yml:6: the aliases repeat more")


def test_a_file_that_is_none_or_too_large(tmp_path: Path) -> None:
    (tmp_path / "large.yml").write_bytes(b"# " + b"x" * cohort_file.LARGEST)
    (tmp_path / "folder.yml").mkdir()
    os.mkfifo(tmp_path / "pipe.yml")
    for name, message in (
        ("large.yml", "too large for a list of students"),
        ("folder.yml", "is not a file"),
        ("pipe.yml", "is not a file"),
        ("/dev/zero", "is not a file"),
        ("absent.yml", "Can't read .*: No such file"),
        ("with\0nul", "Can't read"),
    ):
        with pytest.raises(RookeryError, match=message):
            cohort_file.load(name, KNOWN)


def test_the_schema_is_a_schema_with_examples_that_it_accepts() -> None:
    schema = json.loads(cohort_file.schema_file().read_bytes())
    Draft202012Validator.check_schema(schema)
    keys = schema["$defs"]["student"]["properties"]
    example = {key: spec.get("examples", ["r"])[0] for key, spec in keys.items()}
    assert Draft202012Validator(schema).is_valid({"students": [example]})
    assert set(keys) == {field for field in Student.__dataclass_fields__ if field != "slug"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Ada Lovelace", "ada-lovelace"),
        ("Łukasz O'Brien-Ünal", "lukasz-o-brien-unal"),
        ("Straße Ærø Đỗ", "strasse-aero-do"),
        ("../x", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("..", ""),
        ("a\nb\0c", "a-b-c"),
        ("李明", ""),
        ("🐧🐧", ""),
        ("CON", "con-1"),
        ("--help", "help"),
        ("ﬁ①", "fi1"),
    ],
)
def test_a_slug_is_a_plain_name(name: str, wanted: str) -> None:
    assert slug(name) == wanted


def test_slugs_are_safe_and_nobody_elses() -> None:
    people = [
        ("Ada Lovelace", "ada@x.org"),
        ("Ada  Lovelace", "ada@y.org"),
        ("Grace", "g@x.org"),
        ("🐧", "pingu@x.org"),
        ("李明", "liming@x.org"),
        ("🐧", "🐧@x.org"),
        ("../../x", "up@x.org"),
        ("A" * 5000, "long@x.org"),
        ("A" * 5001, "longer@x.org"),
        ("!", "a.b@x.org"),
        ("!", "a-b@x.org"),
        ("a b", "c@x.org"),
    ]
    made = slugs(people)
    assert made[:7] == ["ada-lovelace-ada-x-org", "ada-lovelace-ada-y-org", "grace", "pingu", "liming", "student", "x"]
    assert len(set(made)) == len(people)
    for name in made:
        assert name.isascii()
        assert name.replace("-", "").isalnum()
        assert not name.startswith("-")
        assert len(name) <= 2 * LONGEST


def test_who_is_put_in_above_changes_nobodys_folder() -> None:
    two = [("Ada", "a@x.org"), ("Ada", "b@x.org")]
    assert slugs(two) == ["ada-a", "ada-b"]
    assert slugs([("Grace", "g@x.org"), *reversed(two)]) == ["grace", "ada-b", "ada-a"]
