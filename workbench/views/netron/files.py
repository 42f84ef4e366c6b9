"""What Netron's page may load: the files of its package, and the graphs that it is to show, from memory.

Nothing else exists for it: no file of the model's folder, no port, no network. Its index page is changed on the way: it
counts as made today (it refuses to work when it is half a year old), as unpackaged (which sends no statistics), and
follows the program's light or dark.
"""

from __future__ import annotations

import html
import importlib.util
import re
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

MIME_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".svg": "image/svg+xml",
    ".onnx": "application/octet-stream",
}
MODEL = "model.onnx"
_DARK = "(prefers-color-scheme: dark)"
_FILE = re.compile(r"[\w-]+(\.[\w-]+)+", re.ASCII)


def netron_folder() -> Path | None:
    """Where the netron package lies, if it is installed. It is never imported: its server is not wanted."""
    found = importlib.util.find_spec("netron")
    folder = Path(found.origin).parent if found is not None and found.origin else None
    return folder if folder is not None and (folder / "index.html").is_file() else None


class NetronFiles:
    """Answers requests for `netron://<graph>/<path>`. Graphs are known by short names: `source`, `engine`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._graphs: dict[str, tuple[str, bytes]] = {}
        self.is_dark = False

    def set_graph(self, name: str, title: str, data: bytes) -> None:
        self._graphs[name] = (title, data)

    def drop_graph(self, name: str) -> None:
        self._graphs.pop(name, None)

    def answer(self, host: str, path: str) -> tuple[str, bytes] | None:
        """Type and content; None where there is nothing."""
        if host not in self._graphs:
            return None
        title, data = self._graphs[host]
        name = path.removeprefix("/") or "index.html"
        if name == f"data/{MODEL}":
            return MIME_TYPES[".onnx"], data
        mime = MIME_TYPES.get(PurePosixPath(name).suffix)
        if mime is None or not _FILE.fullmatch(name):
            return None
        file = self._folder / name
        if file.is_symlink() or not file.is_file():
            return None
        content = file.read_bytes()
        if name == "index.html":
            content = self._page(content.decode("utf-8"), title).encode()
        elif name.endswith(".css"):
            content = self._themed(content.decode("utf-8")).encode()
        return mime, content

    def _page(self, page: str, title: str) -> str:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        page = re.sub(r'(<meta name="date" content=")[^"]*', rf"\g<1>{now}", page)
        page = re.sub(r'(<meta name="version" content=")[^"]*', r"\g<1>0.0.0", page)
        name = html.escape(title)
        metas = f'<meta name="type" content="Workbench">\n<meta name="file" content="data/{MODEL}">\n'
        metas += f'<meta name="name" content="{name}">\n<meta name="identifier" content="{MODEL}">\n'
        return self._themed(page.replace("</title>", "</title>\n" + metas, 1))

    def _themed(self, text: str) -> str:
        return text.replace(_DARK, "all" if self.is_dark else "not all")
