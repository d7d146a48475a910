"""`textmill verify` on made-up results in a real git repository: what is the same, within, or off."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from test_scoring import LABELS, table
from typer.testing import CliRunner

from textmill import console, environment, verify
from textmill.cli import app
from textmill.dag import stage_names
from textmill.judging import scoring
from textmill.judging.metrics import METRICS
from textmill.lockfile import hash_of
from textmill.records.comparison import Baseline, Comparison, Entry, Pair
from textmill.timings import Timing
from textmill.verify.cache import cache_of, objects
from textmill.verify.evidence import Evidence
from textmill.verify.sides import of_folder

MODELS = ("linear", "rnn")
PARAMS = {
    "seed": 1,
    "models": {name: {"family": name, "size": 8} for name in MODELS},
    "tokenizers": {"word": {"vectors": {"source": "trained"}}},
}
EVALUATED = ["metrics/models/{}/summary.json", "metrics/models/{}/scores.json"]
# A stage's dependencies, params and outputs; {} is the item.
DAG: dict[str, tuple[list[str], list[str], list[str]]] = {
    "code": (["stages"], [], ["digests"]),
    "clean": (["digests/clean.txt"], [], ["data/docs"]),
    "split": (["digests/split.txt", "data/docs"], ["seed"], ["data/split"]),
    "vectors": (["data/split"], ["tokenizers.{}"], ["data/vectors/{}"]),
    "train": (["digests/train-{}.txt", "data/split", "data/vectors/word"], ["models.{}"], ["data/models/{}"]),
    "evaluate": (["data/models/{}", "data/split"], [], EVALUATED),
    "curve": (["data/split"], ["models.{}"], ["metrics/models/{}/curve.json"]),
    "compare": (["metrics/models"], ["seed", "models"], ["report/comparison.json"]),
    "track": (["digests", "report/comparison.json"], [], ["data/tracked"]),
}
OVER = {"vectors": "tokenizers"} | dict.fromkeys(("train", "evaluate", "curve"), "models")
ENVIRONMENT = {
    "processor": "Some CPU",
    "instructions": ["avx512f", "avx2"],
    "python": "3.11.1",
    "packages": {"numpy": "1.0", "torch": "1.0"},
}


class Project:
    """A folder whose dvc.lock matches its files once `lock` has been called."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.params: dict[str, Any] = json.loads(json.dumps(PARAMS))
        stages = {name: {"foreach": f"${{{OVER[name]}}}", "do": {}} if name in OVER else {} for name in DAG}
        self.yaml("dvc.yaml", {"stages": stages})
        for name in ("clean", "split", "train-linear", "train-rnn"):
            self.write(f"digests/{name}.txt", "0 module\n")
        for path in ("data/docs", "data/split", "data/vectors/word", "data/tracked", "stages/clean.py"):
            self.write(path, path)
        self.models = {name: {"validation": 0.7, "score": 0.75} for name in MODELS}
        self.models["linear"]["validation"] = 0.8
        self.champion, self.better = "linear", None
        self.environment: dict[str, Any] | None = ENVIRONMENT
        self.made()
        self.lock()
        (folder / ".gitignore").write_text("/data/\n/report/\nscores.json\ncurve.json\n")
        self.commit()

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def yaml(self, path: str, value: Any) -> None:
        with open(self.folder / path, "w") as file:
            YAML().dump(json.loads(json.dumps(value)), file)  # without anchors, as DVC writes it

    def made(self, *names: str) -> None:
        """Writes what train, evaluate and compare would write for the models. names: those that are trained again."""
        for name, one in self.models.items():
            if name in names or not (self.folder / f"data/models/{name}").exists():
                self.write(f"data/models/{name}", json.dumps([name, one, self.environment]))
                self.write(f"metrics/models/{name}/curve.json", json.dumps([name, self.environment]))
                weights = hash_of(self.folder / f"data/models/{name}").ljust(64, "0")
                timing = {"weights": weights, "machine": "Some CPU, 2 cores"}
                timing |= {"environment": self.environment} if self.environment else {}
                self.write(f"metrics/models/{name}/timing.json", json.dumps(timing))
            summary = {"validation_accuracy": one["validation"], "test_accuracy": one["score"]}
            self.write(f"metrics/models/{name}/summary.json", json.dumps(summary))
            self.write(f"metrics/models/{name}/scores.json", json.dumps(one))
        self.compared().write(self.folder / "report/comparison.json")

    def compared(self) -> Comparison:
        unknown = dict.fromkeys(("validation_low", "validation_high", "wins", "sd", "gain_low"))
        entries = [
            Entry(
                name=name, family=name, tokenizer="word", parameters=1, members=[], validation=one["validation"],
                score=one["score"], seeds=1, low=one["score"] - 0.02, high=one["score"] + 0.02, **unknown,
                accuracy=one["score"],
            )
            for name, one in self.models.items()
        ]  # fmt: skip
        pair = Pair(a="linear", b="rnn", difference=0, low=-1, high=1, least=1, better=self.better)
        power: Any = {"rows": 9, "by": "document", "units": 9, "effective": 9.0, "least": 1.0}
        return Comparison(
            dataset="d", metric="accuracy", rows=9, labels=LABELS, absent=[], rare={}, alpha=0.05, validation=power,
            test=power, champion=self.champion, champion_by="", equal=[], decided_by=None,
            baseline=Baseline(label="neg"), models=entries, pairs=[pair],
        )  # fmt: skip

    def names(self) -> dict[str, list[str]]:
        return {name: [*self.params[OVER[name]]] if name in OVER else [""] for name in DAG}

    def lock(self, without: str = "") -> None:
        """Write params.yaml and dvc.lock as they would be after all stages, but one, had run."""
        self.yaml("params.yaml", self.params)
        stages = {}
        for stage, items in self.names().items():
            for item in items:
                deps, keys, outs = ([one.format(item) for one in some] for some in DAG[stage])
                name = f"{stage}@{item}" if item else stage
                known = {"params": {"params.yaml": {key: self.value(key) for key in keys}}}
                stages[name] = {"cmd": name, "deps": self.hashes(deps), **known, "outs": self.hashes(outs)}
        stages.pop(without, None)
        self.yaml("dvc.lock", {"schema": "2.0", "stages": stages})

    def hashes(self, paths: list[str]) -> list[dict[str, str]]:
        return [{"path": path, "hash": "md5", "md5": hash_of(self.folder / path)} for path in paths]

    def value(self, key: str) -> Any:
        found: Any = self.params
        for part in key.split("."):
            found = found[part]
        return found

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *words], cwd=self.folder, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "results")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return Project(tmp_path)


def asked(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["verify", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout + done.stderr


def nothing(project: Project) -> None:
    pass


def scored(model: str, score: float, **more: Any) -> Callable[[Project], None]:
    """Other weights, and another score."""

    def change(project: Project) -> None:
        project.models[model] |= {"score": score, **more}
        project.made(model)
        project.lock()

    return change


def other_weights(project: Project) -> None:
    project.environment = ENVIRONMENT | {"python": "3.12.1"}
    scored("rnn", 0.75)(project)


def other_curve(model: str, score: float) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        scored(model, score)(project)
        other(f"metrics/models/{model}/curve.json")(project)

    return change


def leading(better: str | None) -> Callable[[Project], None]:
    """The other model leads on validation, and is called better."""

    def change(project: Project) -> None:
        project.champion, project.better = "rnn", better
        scored("rnn", 0.75, validation=0.9)(project)

    return change


def other(*paths: str, locked: bool = True) -> Callable[[Project], None]:
    """Writes other bytes to files; locked: as if their stages had written them."""

    def change(project: Project) -> None:
        for path in paths:
            project.write(path, "other")
        if locked:
            project.lock()

    return change


def params(run: bool = True, **changes: Any) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        for key, value in changes.items():
            project.params[key] = value
        project.lock() if run else project.yaml("params.yaml", project.params)

    return change


def removed(path: str) -> Callable[[Project], None]:
    return lambda project: (project.folder / path).unlink()


def no_comparison(project: Project) -> None:
    scored("rnn", 0.76)(project)
    project.write("report/comparison.json", "{}")
    project.lock()


def not_compared(project: Project) -> None:
    before = (project.folder / "report/comparison.json").read_text()
    scored("rnn", 0.76)(project)
    project.write("report/comparison.json", before)
    project.lock()


def another_metrics_than_its_lock(project: Project) -> None:
    project.write("metrics/models/rnn/summary.json", "{}")
    project.git("commit", "-q", "-a", "-m", "one without the other")
    project.made()


def new_model(project: Project) -> None:
    project.models["more"] = {"score": 0.6, "validation": 0.1}
    project.params["models"]["more"] = {"family": "rnn"}
    project.write("digests/train-more.txt", "0 module\n")
    project.made()
    project.lock()


def fewer_models(project: Project) -> None:
    del project.params["models"]["rnn"]
    project.lock()


SAME = "verify: same bytes as HEAD"
WITHIN = "verify: within the interval of HEAD"
CASES = {
    "the same": (nothing, 0, [SAME, "code, clean, split, vectors, train, evaluate, curve, compare, track: 12 stages"]),
    "a network within": (
        scored("rnn", 0.76),
        0,
        [WITHIN, "9 of 12 stages are the same", "train@rnn, evaluate@rnn: within", "75.00 │ 76.00 │ 74.0 – 78.0"],
    ),
    "a network off": (
        scored("rnn", 0.78),
        1,
        ["verify: off: train@rnn is not as in HEAD", "outside of the interval", "evaluate@rnn, compare: off, after"],
    ),
    "linear within": (scored("linear", 0.76), 0, [WITHIN, "a linear model gives the same bytes"]),
    "the same score, other bytes": (other_weights, 0, ["train@rnn: within", "75.00 │ 75.00"]),
    "a tie for champion": (leading(None), 0, [WITHIN, "the champion is rnn and was linear: they tie"]),
    "a curve of a network within": (other_curve("rnn", 0.76), 0, [WITHIN, "curve@rnn: fits of rnn to parts of train"]),
    "a curve of a network off": (other_curve("rnn", 0.9), 1, ["evaluate@rnn, curve@rnn, compare: off, after"]),
    "a curve alone": (other("metrics/models/rnn/curve.json"), 1, ["curve@rnn: off: other bytes from the same inputs"]),
    "linear by other code": (
        lambda project: (other("digests/train-linear.txt")(project), scored("linear", 0.76)(project)),
        0,
        [WITHIN, "the code of train-linear", "train@linear, evaluate@linear: within the interval "],
    ),
    "another champion": (leading("rnn"), 1, ["verify: off: compare is not", "the champion is rnn and was linear"]),
    "texts off": (
        other("data/docs", "data/split", "data/models/rnn"),
        1,
        [
            "verify: off: clean is not as in HEAD",
            "clean: off: other bytes from the same inputs",
            "split, train@rnn: off, after clean",
        ],
    ),
    "trained vectors": (other("data/vectors/word"), 0, ["vectors@word: trained vectors, judged by the models"]),
    "tracked otherwise": (other("data/tracked"), 1, ["track: off: other bytes from the same inputs"]),
    "other code, same bytes": (
        other("digests/clean.txt"),
        0,
        ["differs from HEAD", "the code of clean; expect other results", f"{SAME}", "code also differs"],
    ),
    "other code, other bytes": (other("digests/split.txt", "data/split"), 1, ["split: off: made with other code"]),
    "other params": (params(seed=2), 0, ["params.yaml in seed; expect other results", "params.yaml also differs"]),
    "params that did not run": (params(run=False, seed=2), 1, ["split, compare: did not run since seed changed"]),
    "a file that changed": (
        other("metrics/models/rnn/summary.json", locked=False),
        1,
        ["evaluate@rnn: off: metrics/models/rnn/summary.json is not what dvc.lock says"],
    ),
    "a file that is gone": (removed("data/docs"), 1, ["clean: off: data/docs is missing"]),
    "an input that changed": (other("digests/split.txt", locked=False), 1, ["did not run since digests/split.txt"]),
    "not run": (lambda project: project.lock(without="train@rnn"), 1, ["train@rnn: did not run here", "is not here"]),
    "not recorded": (
        lambda project: project.lock(without="track"), 1, ["track: did not run here"]
    ),
    "a new model": (new_model, 0, ["train@more, evaluate@more, curve@more: not in HEAD", "same champion, linear"]),
    "a model less": (fewer_models, 1, ["not asked for here", "train@rnn, evaluate@rnn, curve@rnn are not here"]),
    "no comparison": (no_comparison, 1, ["compare has not run with it here"]),
    "an old comparison": (not_compared, 1, ["compare has not run here since it was evaluated"]),
    "half a commit": (another_metrics_than_its_lock, 1, ["summary.json of HEAD", "is not what dvc.lock there"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_receipt_says_what_is_same_within_and_off(project, case):
    change, code, output = CASES[case]
    change(project)
    found = asked()
    assert found[0] == code, found[1]
    for words in output:
        assert words in found[1]
    assert found[1].splitlines()[-1].startswith("verify: ")


def test_vectors_are_off_where_a_model_that_begins_with_them_is(project):
    project.write("data/vectors/word", "other")
    scored("rnn", 0.9)(project)
    code, output = asked()
    assert code == 1
    assert "vectors@word: off: trained, and train@rnn is off" in output


def test_what_differs_around_a_training_is_named(project):
    project.environment = ENVIRONMENT | {"instructions": ["avx2"], "settings": {"ONEDNN_MAX_CPU_ISA": "AVX2"}}
    project.environment["packages"] = {"numpy": "1.0", "torch": "2.0"}
    scored("rnn", 0.76)(project)
    _, output = asked()
    apart = "instructions avx512f avx2 → avx2; ONEDNN_MAX_CPU_ISA none → AVX2; torch 1.0 → 2.0"
    assert f"environment: {apart}\n" in output


def test_a_commit_that_records_only_its_machine(project):
    project.environment = None
    project.made("rnn")
    project.lock()
    project.git("commit", "-q", "-a", "-m", "old")
    scored("rnn", 0.76)(project)
    output = asked()[1]
    assert "records only its machine, Some CPU, 2 cores" in output


def test_any_revision_can_be_asked(project):
    scored("rnn", 0.9)(project)
    project.git("commit", "-q", "-a", "-m", "better")
    project.git("tag", "best")
    assert asked("best")[0] == 0
    assert asked("HEAD~1")[0] == 1
    project.params["models"].pop("rnn")  # what dvc.lock still holds of it does not count
    project.yaml("params.yaml", project.params)
    assert "train@rnn, evaluate@rnn, curve@rnn: not asked for here" in asked("best")[1]


def test_a_project_in_a_folder_of_a_repository(tmp_path, monkeypatch):
    (tmp_path / "some where").mkdir()
    monkeypatch.chdir(tmp_path / "some where")
    project = Project(tmp_path / "some where")
    (tmp_path / "some where/.git").rename(tmp_path / ".git")
    project.git("add", "-A", str(tmp_path))
    project.git("commit", "-q", "-m", "moved")
    assert asked()[0] == 0
    scored("rnn", 0.76)(project)
    assert WITHIN in asked()[1]


@pytest.mark.parametrize(
    ("change", "words", "code", "output"),
    [
        (nothing, ["nope"], 2, "'nope': no such revision"),
        (nothing, ["HEAD:dvc.lock"], 2, "'HEAD:dvc.lock': no such revision"),
        (nothing, ["--", "--all"], 2, "'--all': no such revision"),
        (nothing, ["HEAD\nHEAD"], 2, "no such revision"),
        (removed("dvc.lock"), [], 4, "dvc.lock: No such file or directory; go to a project's folder"),
        (lambda project: project.write("dvc.lock", "x:\n  clean:\n    - 1\n"), [], 4, "clean is not as DVC writes"),
        (lambda project: project.write(".git/HEAD", "ref: refs/heads/new\n"), [], 4, "HEAD: no commit yet"),
        (lambda project: (project.folder / ".git").rename(project.folder / "old"), [], 4, "not a git repository"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_one_line(project, change, words, code, output, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.folder.parent))
    change(project)
    found = asked(*words)
    assert found[0] == code
    assert output in found[1]
    assert found[1].startswith("error: verify: ")
    assert found[1].count("\n") == 1
    assert words or verify.after_repro(project.folder) == []


@pytest.mark.parametrize("text", ["- 1\n", "stages: [a]\n", "stages: {clean: 1}\n", "a: [\n"])
def test_a_commit_whose_dvc_yaml_is_broken_has_the_stages_of_its_lock(project, text):
    whole = (project.folder / "dvc.yaml").read_text()
    project.write("dvc.yaml", text)
    project.git("commit", "-q", "-a", "-m", "broken")
    project.write("dvc.yaml", whole)
    assert asked()[0] == 0


def test_a_commit_without_results_and_a_machine_without_git(project, monkeypatch):
    project.git("rm", "-q", "--cached", "dvc.lock")
    project.git("commit", "-q", "-m", "without")
    code, output = asked()
    assert (code, "it has no dvc.lock" in output) == (4, True)
    monkeypatch.setenv("PATH", "")
    code, output = asked()
    assert (code, "git: not found" in output) == (5, True)
    assert verify.after_repro(project.folder) == []


def test_a_reproduction_ends_with_the_verdict_and_what_to_do(project):
    (one,) = verify.after_repro(project.folder)
    assert one.startswith(SAME)
    scored("rnn", 0.76)(project)
    sentence, keep, take = verify.after_repro(project.folder)
    assert sentence.startswith(WITHIN)
    assert "git checkout dvc.lock digests metrics" in keep
    assert "git commit" in take
    project.params["models"]["rnn"]["size"] = 9
    project.lock()
    (asked_for,) = verify.after_repro(project.folder)
    assert asked_for.endswith("params.yaml also differs")
    scored("rnn", 0.2)(project)
    (asked_for,) = verify.after_repro(project.folder)
    assert "params.yaml in models.rnn.size" in asked_for
    assert asked_for.endswith("`textmill compare` shows them")


@pytest.mark.parametrize(
    ("foreach", "names"),
    [
        ({"foreach": "${models}"}, ["train@a", "train@b"]),
        ({"foreach": "${deep.models}"}, ["train@x"]),
        ({"foreach": ["q", 7]}, ["train@q", "train@7"]),
        ({"foreach": "${nowhere}"}, ["train@old"]),
        ({"matrix": {"one": [1, 2]}}, ["train@old"]),
        ({}, ["train"]),
    ],
)
def test_which_stages_params_ask_for(foreach, names):
    given = {"models": {"a": {}, "b": {}}, "deep": {"models": {"x": 1}}}
    assert stage_names({"stages": {"clean": {}, "train": foreach}}, given, ["train@old"]) == ["clean", *names]


@pytest.mark.parametrize("metric", METRICS)
def test_of_several_seeds_the_mean_is_compared(project, metric):
    def scored(*seeds: int) -> tuple[dict[str, float | None], float | None]:
        scores = scoring.all_scores({seed: table(50, seed=seed) for seed in seeds}, seeds[0], LABELS)
        return scoring.summary(scores, seeds[0], {}), scores.mean[metric]

    (then, before), (now, mean) = scored(1, 4), scored(3, 4)
    assert before != then[f"test_{metric}"]
    entry = project.compared().models[1].model_dump() | {metric: mean, "low": before, "high": before}
    compared = project.compared().model_copy(update={"metric": metric, "models": [Entry(**entry)]})
    assert Evidence(compared, {"rnn": (then, now)}, {}).score("rnn") == (before, mean, before, before, "")
    del then[f"test_{metric}_mean"]  # as summaries were: nothing to hold against the interval of a mean
    assert "no test" in Evidence(compared, {"rnn": (then, now)}, {}).score("rnn").why
    unsure = compared.model_copy(update={"models": [Entry(**entry | {"low": None})]})
    assert "no interval" in Evidence(unsure, {"rnn": (now, now)}, {}).score("rnn").why


@pytest.mark.parametrize("key", ["seed", "models", "models.rnn.size"])
def test_another_list_of_keys_in_dvc_yaml_is_not_another_params_yaml(project, monkeypatch, key):
    deps, _, outs = DAG["evaluate"]
    monkeypatch.setitem(DAG, "evaluate", (deps, [key], outs))
    project.lock()
    code, output = asked()
    assert (code, "params.yaml" in output) == (0, False)
    scored("rnn", 0.76)(project)
    assert len(verify.after_repro(project.folder)) == 3
    project.params["models"]["rnn"]["depth"] = 2  # below what train names on both sides
    project.lock()
    assert "params.yaml in models.rnn.depth; expect other results" in asked()[1]


def test_a_stage_that_names_other_keys_was_not_made_with_other_params(project, monkeypatch):
    deps, _, outs = DAG["track"]
    monkeypatch.setitem(DAG, "track", (deps, ["seed"], outs))
    other("data/tracked")(project)
    assert "track: off: other bytes from the same inputs" in asked()[1]


@pytest.mark.parametrize("columns", [None, 80, 110])
def test_each_model_has_one_row_with_its_figures_at_any_width(project, monkeypatch, capsys, columns):
    names = [f"network-{number}" for number in range(5)]
    for name in names:
        project.models[name] = {"score": 0.6, "validation": 0.1}
        project.params["models"][name] = {"family": "rnn"}
        project.write(f"digests/train-{name}.txt", "0 module\n")
    project.made()
    project.lock()
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "more")
    for name in names:
        scored(name, 0.61)(project)
    project.write("data/tracked", "other")
    project.lock()
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert verify.show(verify.check("HEAD", project.folder))
    output = capsys.readouterr().out
    assert [output.count(words) for words in ("60.00 │ 61.00 │ 59.0 – 63.0 │", "60.00")] == [5, 5]
    assert max(len(line) for line in output.splitlines() if line[0] in "┏│└") <= (columns or 140)


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_a_table_loses_no_figure_at_any_width(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    console.table("", ["name", *"abcdefghij"], [["much " * 20, *(f"{number}.12345" for number in range(10))]])
    output = capsys.readouterr().out
    assert all(f" {number}.12345 │" in output for number in range(10))
    assert output.count("much") == 20


def test_a_processor_tells_what_counts(tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    file.write_text("model name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx2 avx512f sse amx_tile avx512_bf16 amx_bf16\n")
    monkeypatch.setattr(environment, "CPUINFO", file)
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    found = environment.here(packages=["numpy", "no-such-package"])
    assert found.processor == "Some CPU @ 2 GHz"
    assert found.instructions == ["amx_bf16", "amx_tile", "avx512_bf16", "avx512f", "avx2"]
    assert found.settings["MKL_CBWR"] == "AVX2"
    assert list(found.packages) == ["numpy"]
    assert environment.differences(found, found) == []
    monkeypatch.setattr(environment, "CPUINFO", tmp_path / "none")
    assert environment.instructions() == []
    assert environment.processor()


def test_timings_of_before_are_read():
    old = Timing.model_validate({"weights": "0" * 64, "machine": "AMD EPYC, 2 cores", "train_seconds": 5.77})
    assert old.environment is None


def test_damaged_files_of_the_cache_are_named(project):
    project.lock()
    outs = {path: md5 for stage in of_folder(project.folder).stages.values() for path, md5 in stage.outs.items()}
    cache = cache_of(project.folder)
    files = {path: md5 for path, md5 in outs.items() if not md5.endswith(".dir")}
    for path, md5 in files.items():
        (cache / md5[:2]).mkdir(parents=True, exist_ok=True)
        shutil.copy(project.folder / path, cache / md5[:2] / md5[2:])
    kept = len(objects(cache))
    assert asked("--cache")[0] == 0
    path, md5 = next(iter(files.items()))
    (cache / md5[:2] / md5[2:]).write_bytes(b"other")
    code, out = asked("--cache")
    assert code == 1
    assert f"{md5[2:]}: damaged ({path}); delete it, and `textmill repro` makes it again" in " ".join(out.split())
    assert f"verify: 1 of {kept} files in DVC's cache damaged" in out
