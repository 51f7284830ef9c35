"""Settings of the documentation: Sphinx with furo, MyST and notebooks.

sphinx-build -W --keep-going docs build/docs                    # as the tests do
IGMC_DOCS_EXECUTE=1 sphinx-build -W docs build/docs             # with the outputs of the notebooks
"""

import os

import igmc

project = "igmc"
author = "The igmc authors"
copyright = "the igmc authors, MIT licence"
version = release = igmc.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_click",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"igmc {release}"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
linkcheck_ignore = [r"http://127\.0\.0\.1"]
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
exclude_patterns += ["conf.py"]
nb_execution_mode = "force" if os.environ.get("IGMC_DOCS_EXECUTE") else "off"
nb_execution_timeout = 120
nb_execution_raise_on_error = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
default_role = "code"  # docstrings put names into single backticks
smartquotes = False  # -- starts an option; it is not a dash
napoleon_use_ivar = True
