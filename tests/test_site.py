"""The pages of the documentation site, and the docstrings that its API reference shows. ``make docs`` builds it all."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from pathlib import Path
from pkgutil import resolve_name

import pytest
import yaml

import prompt_manager
from helpers import ROOT
from test_imports import PATHS

#: Named in the text of a page.
NOT_OBJECTS = {"__version__"}


@pytest.fixture
def site(monkeypatch):
    """Return a function that imports a module of the site."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "site")
    return importlib.import_module


@pytest.fixture
def repository(tmp_path):
    """A repository with a README, two pages and a program."""
    files = {
        "README.md": "# Name\n\nSee [files](docs/files.md#keys), [a program](examples/run.py) and [all](examples/).\n",
        "CHANGELOG.md": "# Changelog\n",
        "RELEASING.md": "# Releasing\n",
        ".github/CONTRIBUTING.md": "# Contributing\n\n[Files](../docs/files.md)\n",
        ".github/SECURITY.md": "# Policy\n",
        "docs/files.md": "# Files\n\n[Home](../README.md), [API](api/manager.md), [PyPI](https://pypi.org).\n",
        "docs/api/manager.md": "# Manager\n\n```python\nrows[0](docs/nothing.md)\n```\n",
        "examples/README.md": "# Examples\n\n[Run](run.py)\n",
        "examples/run.py": "print(1)\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_links_between_files_are_links_between_pages(site, repository, tmp_path):
    written = site("pages").Site(repository).write(tmp_path / "out")
    assert {"index.md", "files.md", "api/manager.md", "contributing.md", "examples/index.md"} <= set(written)

    def page(name):
        return (tmp_path / "out" / name).read_text(encoding="utf-8")

    assert "[files](files.md#keys), [a program](examples/run.py.md) and [all](examples/index.md)" in page("index.md")
    assert "[Home](index.md), [API](api/manager.md), [PyPI](https://pypi.org)" in page("files.md")
    assert "[Files](files.md)" in page("contributing.md")
    assert "rows[0](docs/nothing.md)" in page("api/manager.md"), "code stays as it is"
    assert page("examples/run.py.md") == "# `examples/run.py`\n\n~~~~python\nprint(1)\n~~~~\n"


def test_links_with_the_repository_s_address_are_links_between_pages(site, repository, tmp_path):
    readme = repository / "README.md"
    address = "https://example.invalid/owner/name"
    readme.write_text(f"# Name\n\n[files]({address}/blob/main/docs/files.md#keys)\n", encoding="utf-8")
    site("pages").Site(repository, address).write(tmp_path / "out")
    assert "[files](files.md#keys)" in (tmp_path / "out" / "index.md").read_text(encoding="utf-8")


def test_a_link_to_a_missing_file_is_an_error_that_names_both(site, repository, tmp_path):
    (repository / "docs" / "files.md").write_text("# Files\n\n[gone](gone.md)\n", encoding="utf-8")
    pages = site("pages")
    with pytest.raises(pages.BrokenLinkError, match=r"docs/files\.md links to gone\.md, which does not exist"):
        pages.Site(repository).write(tmp_path / "out")


def test_a_link_that_shows_a_file_s_name_shows_the_title_of_its_page(site, repository, tmp_path):
    (repository / "README.md").write_text("# Name\n\n[docs/files.md](docs/files.md#keys).\n", "utf-8")
    (repository / "docs" / "files.md").write_text("# Prompt files\n", encoding="utf-8")
    site("pages").Site(repository).write(tmp_path / "out")
    assert "[Prompt files](files.md#keys)." in (tmp_path / "out" / "index.md").read_text(encoding="utf-8")


def test_code_in_a_numbered_list_stays_in_its_item(site):
    text = "1. One:\n\n   ```yaml\n   a:\n     - b\n   ```\n\n2. Two\n\n   more\n\nText\n   kept\n"
    expected = "1. One:\n\n    ```yaml\n    a:\n      - b\n    ```\n\n2. Two\n\n    more\n\nText\n   kept\n"
    assert site("pages").with_indented_lists(text) == expected


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("# Title\n\nOne [page](a.md)\nand more. Two.\n", "One page and more."),
        ("# Title\n\n`render` does it. Two.\n", "`render` does it."),
        ("# Title\n\n```bash\nmake\n```\n\nThis builds.\n", ""),
        ("# Title\n\n## Part\n\nText.\n", ""),
    ],
)
def test_llms_txt_describes_a_page_by_its_first_sentence(site, page, sentence):
    pytest.importorskip("yaml")
    assert site("build").first_sentence(page) == sentence


def pages_of(entries):
    """The pages of a part of the navigation, in their order."""
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else pages_of(value)


def test_every_page_has_one_place_in_the_navigation(site, tmp_path):
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    shown = list(pages_of(nav))
    written = site("pages").Site.of(ROOT).write(tmp_path)
    assert len(set(shown)) == len(shown)
    assert set(shown) <= set(written)
    assert {page for page in written if not page.startswith("examples/")} <= set(shown)


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("See :class:`Prompt` and :meth:`~a.Registry.get`.", "See `Prompt` and `get`."),
        ("One.\n\n>>> f(1)\n2\n\nTwo.", "One.\n\n```pycon\n>>> f(1)\n2\n```\n\nTwo."),
        (
            "    >>> for a in b:\n    ...     a\n    1\n\nEnd",
            "    ```pycon\n    >>> for a in b:\n    ...     a\n    1\n    ```\n\nEnd",
        ),
        ("Plain ``code``.", "Plain ``code``."),
    ],
)
def test_a_docstring_becomes_markdown(site, docstring, expected):
    assert site("docstrings").markdown(docstring) == expected


def public_objects():
    """Each public name of the package, with the object that it names."""
    for module, listed in PATHS.items():
        for name in listed.split():
            if name not in NOT_OBJECTS:
                yield f"{module}.{name}", getattr(importlib.import_module(module), name)


def test_the_api_reference_has_every_public_name(site):
    names = site("api_names").documented_names(ROOT / "docs" / "api")
    shown = [resolve_name(name) for name in names]
    missing = [name for name, found in public_objects() if not any(each is found for each in shown)]
    assert missing == []


def members_of(found):
    """The public methods and properties that the package gives to a class."""
    for name in dir(found):
        owner = next((base for base in found.__mro__ if name in vars(base)), object)
        if name.startswith(("_", "model_")) or not owner.__module__.startswith("prompt_manager"):
            continue
        member = inspect.getattr_static(found, name)
        member = getattr(member, "__func__", member)
        if inspect.isroutine(member) or isinstance(member, property) or inspect.isgetsetdescriptor(member):
            yield name, member


def test_every_public_name_has_a_docstring():
    missing = []
    for name, found in public_objects():
        if inspect.isroutine(found) and not found.__doc__:
            missing.append(name)
        if inspect.isclass(found):
            missing += [] if vars(found).get("__doc__") else [name]
            missing += [f"{name}.{member}" for member, value in members_of(found) if not value.__doc__]
    assert missing == []


def test_the_examples_in_docstrings_are_run():
    """``--doctest-modules`` collects them from python/, which is one of the folders that pytest reads."""
    options = importlib.import_module("tomllib").loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "pytest"
    ]
    assert "--doctest-modules" in options["ini_options"]["addopts"]
    assert "python" in options["ini_options"]["testpaths"]
    package = Path(prompt_manager.__file__).parent
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")]
    docstrings = [
        ast.get_docstring(node) or ""
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert sum(len(doctest.DocTestParser().get_examples(text)) for text in docstrings) > 200
