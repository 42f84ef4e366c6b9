"""Recipes: the file beside the model, the user's own copy, and what is refused in either."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.places import data_home
from workbench.core.recipe import Color, Fit, InputSpec, Layout, Preprocess, Recipe, Task, TaskKind
from workbench.data import read_recipe, recipe_shapes, write_recipe
from workbench.model import open_model
from workbench.resources import sample_models

WHOLE = Recipe(
    title="A model",
    summary='With "quotes" and ümlauts.',
    licence="MIT",
    inputs={"x": InputSpec(shape=(1, 4), low=-1.0, high=1.0), "odd:name.0": InputSpec(const=3)},
    preprocess=Preprocess("x", 320, 48, Layout.NHWC, Color.BGR, Fit.PAD_RIGHT, 1 / 255, (0.1, 0.2, 0.3), (0.5,)),
    calibration="random",
    task=Task(TaskKind.CLASSIFICATION, "y", ("T-shirt/top", "ß")),
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    folder = tmp_path / "models"
    folder.mkdir()
    return open_model(making.save(making.chain(), folder))


def _beside(model: Model, text: str) -> None:
    Path(model.path).with_name("model.workbench.toml").write_text(text, encoding="utf-8")


def test_without_a_file_the_recipe_is_empty(model: Model) -> None:
    assert read_recipe(model) == Recipe()


def test_the_users_copy_wins_and_comes_back_equal(model: Model) -> None:
    _beside(model, 'title = "beside"\n')
    assert read_recipe(model).title == "beside"
    path = write_recipe(model, WHOLE)
    assert path == data_home() / "recipes" / f"{model.sha256}.toml"
    assert read_recipe(model) == WHOLE
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_paths_of_sample_sets_come_back_absolute(model: Model) -> None:
    folder = Path(model.path).parent
    _beside(model, 'calibration = "sets/calib"\nevaluation = "eval.npz"\n')
    recipe = read_recipe(model)
    assert (recipe.calibration, recipe.evaluation) == (str(folder / "sets/calib"), str(folder / "eval.npz"))
    write_recipe(model, recipe)
    assert read_recipe(model) == recipe


def test_a_recipe_that_came_with_a_model_stays_in_its_folder(model: Model, tmp_path: Path) -> None:
    (Path(model.path).parent / "link").symlink_to(tmp_path)
    for path in ("../secret", "/etc", "link/secret"):
        _beside(model, f'calibration = "{path}"\n')
        with pytest.raises(WorkbenchError, match="outside the model's folder"):
            read_recipe(model)
    own = msgspec.structs.replace(Recipe(), calibration="/etc")
    write_recipe(model, own)
    assert read_recipe(model).calibration == "/etc"


BAD = [
    ("title = ", "not a recipe"),
    ("title = 3", "`title`"),
    ('calibraton = "x"', "`calibraton`"),
    ("[preprocess]\nwidht = 3", "`preprocess.widht`"),
    ("[inputs.x]\nlo = 3", "`inputs.x.lo`"),
    ("[task]\nlabels = []", "kind"),
    ('[task]\nkind = "detection"', "kind"),
    ("[preprocess]\nwidth = 0", "preprocess.width"),
    ("[preprocess]\nstd = [0.0]", "preprocess.std"),
    ("[preprocess]\nmean = [0.0, 1.0]", "3 for RGB"),
    ('[preprocess]\ncolor = "CMYK"', "preprocess.color"),
    ("a = " + "[" * 20000, "not a recipe"),
    ("[inputs]\nx = 3", "inputs"),
    ("[inputs.x]\nhigh = inf", "`inputs.x`"),
    ("[inputs.x]\nlow = nan", "`inputs.x`"),
    ("[inputs.x]\nconst = nan", "`inputs.x`"),
    ("[inputs.x]\nlow = 3\nhigh = 2", "`inputs.x.low`"),
    ("[preprocess]\nscale = nan", "preprocess.scale"),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=[text[:30] for text, _ in BAD])
def test_a_bad_recipe_is_refused_naming_the_field(model: Model, text: str, words: str) -> None:
    _beside(model, text)
    with pytest.raises(WorkbenchError) as caught:
        read_recipe(model)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_misspelt_field_gets_a_suggestion(model: Model) -> None:
    _beside(model, 'calibraton = "x"')
    with pytest.raises(WorkbenchError, match="Did you mean 'calibration'"):
        read_recipe(model)


def test_shapes_follow_the_recipe() -> None:
    model = open_model(sample_models() / "silero_vad" / "silero_vad.onnx")
    shapes = recipe_shapes(model, read_recipe(model))
    assert shapes == {"input": (1, 576), "state": (2, 1, 128), "sr": ()}


def test_the_size_of_pictures_sets_free_dimensions_only(tmp_path: Path) -> None:
    proto = making.chain()
    proto.graph.input[0].CopyFrom(making.value("x", ("n", 3, "h", 32)))
    model = open_model(making.save(proto, tmp_path))
    recipe = Recipe(preprocess=Preprocess(width=64, height=48))
    assert recipe_shapes(model, recipe) == {"x": (1, 3, 48, 32)}


def test_the_data_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert data_home() == tmp_path / "home"
    monkeypatch.delenv("WORKBENCH_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert data_home() == tmp_path / "xdg" / "inference-workbench"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_home() == tmp_path / ".local" / "share" / "inference-workbench"
