"""Links of pages, for the site: those to files outside of docs lead to the repository.

MkDocs itself reports links to files that do not exist. README.md is the first page where docs has none of its own.
"""

import pathlib
import re

from mkdocs.structure.files import File
from mkdocs.structure.nav import Link

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# A link or image, but not in code: `[text](target)`, `[text](target "title")`.
LINK = re.compile(r"(?P<code>```.*?```|`[^`\n]*`)|(?P<start>\]\()(?P<target>[^)\s]+)", re.DOTALL)


def on_files(files, config):
    if files.get_file_from_path("index.md") is None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        files.append(File.generated(config, "index.md", content=readme))
    return files


def on_nav(nav, config, files):
    nav.items.append(Link("C and C++ reference", "api/index.html"))
    nav.items.append(Link("Rust reference", "rust/pt2/index.html"))
    return nav


def on_page_markdown(markdown, page, config, files):
    # README.md is the one page that is not where it seems to be.
    path = DOCS / page.file.src_uri
    path = path if path.exists() else ROOT / "README.md"

    def replace(match):
        if match["code"] is not None:
            return match[0]
        return match["start"] + target(match["target"], path, config)

    return LINK.sub(replace, markdown)


def target(link, path, config):
    if re.match(r"[a-z]+:|#", link):
        return link
    name, _, anchor = link.partition("#")
    file = (path.parent / name).resolve()
    if not file.exists():
        return link
    if file.is_relative_to(DOCS) and file.suffix != ".jsonl":
        # From README.md's folder to that of the page in its place.
        return link if path.is_relative_to(DOCS) else link.removeprefix("docs/")
    kind = "tree" if file.is_dir() else "blob"
    address = f"{config['repo_url']}/{kind}/main/{file.relative_to(ROOT)}"
    return f"{address}#{anchor}" if anchor else address
