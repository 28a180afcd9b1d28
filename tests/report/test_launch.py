import pytest
from common import ROOT

from stvae_lib import InputError
from stvae_lib.report import launch


@pytest.fixture
def named(monkeypatch):
    for name in ("STVAE_REPOSITORY", "STVAE_BRANCH", "STVAE_JUPYTERHUB"):
        monkeypatch.delenv(name, raising=False)
    return lambda **values: [monkeypatch.setenv(f"STVAE_{name.upper()}", value) for name, value in values.items()]


def test_without_a_repository_there_is_nothing(named):
    assert launch.theme_options() == {} and launch.colab_cell() == ""


@pytest.mark.parametrize("address", ["https://github.com/owner/name", "https://github.com/owner/name/",
                                     "https://github.com/owner/name.git"])
def test_a_repository_on_github_has_every_button(named, address):
    named(repository=address, branch="course", jupyterhub="https://hub.example.org")
    options = launch.theme_options()
    assert options["repository_url"] == "https://github.com/owner/name" and options["repository_branch"] == "course"
    assert set(options["launch_buttons"]) == {"notebook_interface", "binderhub_url", "colab_url", "jupyterhub_url"}
    assert all(options["launch_buttons"].values()) and (ROOT / options["path_to_docs"] / "00_report.ipynb").exists()
    first = launch.colab_cell()
    assert "clone --depth 1 https://github.com/owner/name &&" in first and 'insert(0, "name")' in first


def test_one_elsewhere_has_none_for_colab(named):
    named(repository="https://git.example.org:8443/group/sub/name")
    options = launch.theme_options()
    assert options["repository_provider"] == "gitlab" and options["launch_buttons"]["colab_url"] == ""
    assert launch.colab_cell() == ""


@pytest.mark.parametrize("address", ["owner/name", "http://github.com/owner/name", "https://github.com", "https://github.com/owner",
                                     'https://github.com/owner/name" onclick="', "https://github.com/owner/name; rm"])
def test_what_is_no_address_is_refused_in_one_line(named, address):
    named(repository=address)
    with pytest.raises(InputError, match="is no address of a repository"):
        launch.theme_options()
