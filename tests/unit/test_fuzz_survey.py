"""Surveys of clusters that say anything: always a profile that can be loaded, in which text is text, and soon."""

import yaml
from fuzzing import broken, garbled, in_time
from hypothesis import example, given
from hypothesis import strategies as st
from surveys import FACTS, GIVEN

from rookery.clusters.config import own_inventory
from rookery.clusters.survey import answer, profile_findings, profile_text, slurm_answers
from rookery.clusters.survey.answer import Survey
from rookery.clusters.survey.differences import compare
from rookery.clusters.survey.finding import by_key
from rookery.core.errors import RookeryError
from rookery.core.yaml_document import fastest

WORDS = st.sampled_from(
    (
        "yes", "no", "plain", "in:main", "account:proj", "Default=YES", "State=UP", "Nodes=n[1-2]", "gpu:a100:4", "=",
        "{{ x }}", "{%", "|", "||||", "99999999999999999999", "-1", "0", "UNLIMITED", "1-00:00:00", "HOME", "/home/ada",
        "lustre", "/work/ada", "R/4.3.1", "10G", "5.50G", "main", ",", ":", "#", "'", '"', "\\", "!!python/x",
        "&a", "*a", "- x", "? y", "é", "日本", "\u2028", "\ufeff", "\x85", "a" * 300, "9" * 400, "null", "~", "1e999",
        ".inf", "0o7",
    )
)  # fmt: skip
LINES = st.lists(WORDS, max_size=9).map(" ".join)
LIKE_GOOD = {
    **FACTS,
    "nodes": [
        "2 Arch=aarch64 CPUTot=72 RealMemory=400000 Gres=gpu:gh200:1 AvailableFeatures=a,b=c Partitions=main",
        *FACTS["nodes"],
    ],
    "assoc": ["proj||normal,gpu|normal|cpu=1|mem=2T"],
    "qos": ["normal|1-00:00:00|cpu=512,mem=2T"],
    "place": [*FACTS["place"], "WORK lustre 1 x /work/ada", "- nfs 1 x /scratch/ada"],
    "quota:gpfsquota": ["home 10G 5.50G 4.50G 55.00 24840"],
    "module": ["R/4.3.1", "gcc/9(default)"],
    "modules": ["lmod"],
    "job": ["1 partition main", "1 type ", "1 internet no", "1 lacks /home/ada", "1 complete yes"],
}


def is_sound(survey: Survey) -> None:
    """What is written of a survey can be loaded and says the same, and comparing it with itself finds nothing."""
    found = profile_findings.collect(survey, GIVEN)
    text = profile_text.text(GIVEN.name, found, GIVEN.today)
    own_inventory.validate(GIVEN.name, text, by_key(found))
    assert yaml.load(text, fastest()) == by_key(found)
    values = by_key(found)
    assert [difference for difference in compare(values, found, survey) if not difference.is_addition] == []


@example({"module": ["R/4.3.1 yes"]})
@given(st.dictionaries(st.sampled_from(sorted(LIKE_GOOD)), st.lists(LINES, max_size=4), max_size=6))
def test_a_survey_with_any_lines_makes_a_profile_that_can_be_loaded(lines: dict[str, list[str]]) -> None:
    told = {**LIKE_GOOD, **lines}
    output = "".join(f"rookery-survey {key} {line}\n" for key in told for line in told[key])
    with in_time():
        is_sound(answer.read(f"{output}rookery-survey complete yes\n", "here"))


@given(garbled("".join(f"rookery-survey {key} {line}\n" for key in LIKE_GOOD for line in LIKE_GOOD[key])))
def test_any_output_is_an_answer_or_an_error(output: str) -> None:
    with in_time():
        try:
            survey = answer.read(f"{output}\nrookery-survey complete yes\n", "here")
        except RookeryError:
            return
        is_sound(survey)


@given(broken({key: list(lines) for key, lines in LIKE_GOOD.items()}))
def test_slurm_s_answers_are_parsed_whatever_they_are(facts: object) -> None:
    if isinstance(facts, dict):
        kept = {str(key): tuple(str(line) for line in lines) for key, lines in facts.items() if isinstance(lines, list)}
        with in_time():
            slurm_answers.parse(Survey(kept))
