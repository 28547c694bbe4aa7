"""The house: every arrow between its rooms points down, and only hands touch the world."""

from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]


def test_every_import_respects_the_layers_of_the_house(tmp_path):
    exit_code = lint_imports(
        config_filename=str(ROOT / "pyproject.toml"),
        cache_dir=str(tmp_path),
        no_logo=True,
    )

    assert exit_code == 0
