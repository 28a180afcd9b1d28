"""Where a reader can start a notebook elsewhere: on Binder, in Colab, on a course's JupyterHub. Nowhere, until the environment
names a repository that these can fetch it from, because a button that leads nowhere is worse than none."""

import os
import re

from ..errors import InputError

BINDER, COLAB = "https://mybinder.org", "https://colab.research.google.com"
ADDRESS = re.compile(r"https://(?P<host>[\w.-]+(:\d+)?)/[\w./-]*[\w.-]/(?P<name>[\w.-]+?)(\.git)?/?")


def repository() -> str:
    """The repository's address from `STVAE_REPOSITORY`, without what may end it; "" where none is named."""
    address = os.environ.get("STVAE_REPOSITORY", "")
    if address and not ADDRESS.fullmatch(address):
        raise InputError(f"STVAE_REPOSITORY={address}", "is no address of a repository", "give one as https://github.com/OWNER/NAME")
    return re.sub(r"(\.git)?/?$", "", address)


def theme_options() -> dict:
    """Options of the book's theme: a link to the repository, and buttons on every notebook's page. The branch is `main`, or
    STVAE_BRANCH; there is a JupyterHub where STVAE_JUPYTERHUB names one that has nbgitpuller; Colab reads from GitHub alone."""
    address = repository()
    if not address:
        return {}
    on_github = address.startswith("https://github.com/")
    buttons = {"notebook_interface": "jupyterlab", "binderhub_url": BINDER, "colab_url": COLAB if on_github else "",
               "jupyterhub_url": os.environ.get("STVAE_JUPYTERHUB", "")}
    return {"repository_url": address, "repository_branch": os.environ.get("STVAE_BRANCH", "main"), "path_to_docs": "notebooks",
            "repository_provider": "github" if on_github else "gitlab", "use_repository_button": True, "launch_buttons": buttons}


def setup(app) -> dict:
    """Take the buttons from the pages of labs: their masters hold solutions, and student copies lie where a course puts them."""
    def without_buttons(app, page, template, context, document):
        if page.startswith("lab_"):
            context["header_buttons"] = [button for button in context.get("header_buttons", [])
                                         if button.get("label") != "launch-buttons"]

    app.connect("html-page-context", without_buttons, priority=502)  # behind the theme's own, which adds them
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def colab_cell() -> str:
    """What has to run first in Colab, which opens a notebook without the repository around it; "" where Colab has no button."""
    if not theme_options().get("launch_buttons", {}).get("colab_url"):
        return ""
    address = repository()
    name = address.rsplit("/", 1)[1]
    return f'!git clone --depth 1 {address} && pip install -q -e {name}\nimport sys; sys.path.insert(0, "{name}")'
