"""The library's plan: arrows point down (pyproject's contracts), and every file can be read in one sitting."""

import re

from common import ROOT
from importlinter.cli import lint_imports

LONGEST = 350


def test_arrows_point_down_and_nothing_is_circular(capsys):
    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True) == 0, capsys.readouterr().out


def test_no_file_of_the_library_is_long():
    lengths = {file.relative_to(ROOT).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
               for file in (ROOT / "stvae_lib").rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_tests_mirror_the_library():
    tested = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("*") if list(path.glob("test_*.py"))}
    others = {"benchmarks", "browser", "labs", "notebooks"}
    assert not [folder for folder in tested if folder.parts[0] not in others and not (ROOT / "stvae_lib" / folder).is_dir()]


def test_readme_leads_to_what_it_names():
    links = re.findall(r"\[`(\w+\.py): (\w+)`\]\((\S+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 10
    for file, name, path in links:
        assert path.endswith("/" + file)
        assert re.search(rf"^(class|def) {name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (path, name)
