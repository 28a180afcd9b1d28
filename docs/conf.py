"""How Sphinx makes the book. `stvae_lib.report.site` copies this folder, and puts the chapters beside it."""

from stvae_lib.report import launch

project = "ST-VAE Notebooks"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx_design", "sphinxcontrib.bibtex", "stvae_lib.report.mathml",
              "stvae_lib.report.narrow", "stvae_lib.report.launch"]

nb_execution_mode = "off"
nb_ipywidgets_js = {}  # widgets need a kernel; the book shows precomputed frames in their place, and asks no network
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_dmath_double_inline = True
myst_heading_anchors = 2
myst_url_schemes = {"http": None, "https": None, "source": "code/{{path}}", "page": "{{path}}"}

bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
html_math_renderer = "mathml"

html_context = {"default_mode": "auto"}
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_extra_path = ["extra"]
html_show_search_summary = False  # summaries are fetched, which a file URL forbids
html_theme_options = {"home_page_in_toc": True, "show_toc_level": 2, "navbar_persistent": [], "footer_content_items": [],
                      "navigation_with_keys": False,
                      "icon_links": [{"name": "Try it", "url": "try_it.html", "icon": "fas fa-paintbrush",
                                      "attributes": {"target": "_self"}}]} | launch.theme_options()
copybutton_exclude = ".linenos, .gp"
