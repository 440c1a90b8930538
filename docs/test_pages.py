"""Run the Python blocks of every page, and compare what they print.

The blocks of a page share their names. A ``text`` block right after a ``python`` block
is what it prints, and ``...`` there stands for anything. Numbers with a decimal point
may be a tenth off, as no two machines train to the same last digit.
"""

import re
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d+")


def check_output(expected, printed):
    lines = zip(expected.splitlines(), printed.splitlines(), strict=True)
    for wanted, got in lines:
        if "..." in wanted:
            assert OutputChecker().check_output(wanted, got, ELLIPSIS), printed
            continue
        assert NUMBER.sub("#", got).split() == NUMBER.sub("#", wanted).split(), printed
        numbers = [list(map(float, NUMBER.findall(line))) for line in (got, wanted)]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.1, abs=0.03), printed


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_runs(page, capsys, monkeypatch, tmp_path):
    text = page.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}
    printed = None
    for block in BLOCK.finditer(text):
        kind, content = block.groups()
        if kind == "python":
            # Empty lines put the line numbers of an error where the page has them.
            above = "\n" * text.count("\n", 0, block.start(2))
            exec(compile(above + content, page, "exec"), names)
            printed = capsys.readouterr().out
        elif kind == "text" and printed is not None:
            check_output(content, printed)
            printed = None
        else:
            printed = None


def test_links_lead_somewhere():
    for page in PAGES:
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == []


def test_contributors_find_every_file():
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    files = {path.name for path in (ROOT / "skae").glob("*.py")}
    files -= {"__init__.py", "_version.py"}
    assert [name for name in sorted(files) if f"`skae/{name}`" not in page] == []


def test_guide_lists_its_sections():
    guide = (ROOT / "docs" / "user_guide.md").read_text("utf-8")
    sections = re.findall(r"^## (.+)$", guide, re.M)
    anchors = [re.sub(r"[^\w -]", "", name.lower()) for name in sections]
    wanted = [
        f"[{name}](#{anchor.replace(' ', '-')})"
        for name, anchor in zip(sections, anchors, strict=True)
    ]
    assert [link for link in wanted if link not in guide] == []


def test_api_page_runs_what_the_readme_says_to_write():
    readme = (ROOT / "README.md").read_text()
    family = readme[readme.index("## The family") : readme.index("## Five uses")]
    cells = re.findall(r"\| `([^`]+\))` \|$", family, re.M)
    page = (ROOT / "docs" / "api.md").read_text()
    assert len(cells) > 20
    assert [cell for cell in cells if f"    {cell},\n" not in page] == []
