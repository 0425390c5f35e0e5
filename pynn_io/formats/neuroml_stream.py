"""NeuroML and LEMS files as `Element` trees whose long lists are columns, read in pieces.

Each piece goes to an XML parser, except for the runs of rows that a program has written: `neuroml_runs` takes these out
before the parser sees them, and the parser gets their line ends instead, so that its line numbers stay right.

No document type definition is read: a DOCTYPE with entities, or of a file elsewhere, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_listing import Listing
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_rows import LISTS
from pynn_io.formats.neuroml_runs import Chunk, find_run

#: Bytes read at once.
PIECE = 2**22
#: Bytes that only the parser reads after an attempt at a run that came to nothing; doubled while that goes on.
_PAUSE = (2**12, 2**20)
_ROW_TAGS = "|".join(sorted({tag for tags in LISTS.values() for tag in tags}, key=len, reverse=True))
_MARKS = re.compile(rf"<(?:(!--)|(!\[CDATA\[)|(\?)|(?:{_ROW_TAGS})\s)".encode())
_ENDS = {1: b"-->", 2: b"]]>", 3: b"?>"}
_DECLARED = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_BOM = b"\xef\xbb\xbf"
#: So deep may elements stand in one another: whoever reads the tree goes down by recursion.
_DEEPEST = 200
#: A text of more bytes without an element's end is not collected, but goes to the parser as it comes.
_LONGEST = 16 * PIECE

#: Called with every element when it begins: its tag, attributes, parent tags from the root on, and place.
Watch = Callable[[str, dict[str, str], list[str], str], None]


def _unwatched(tag: str, attributes: dict[str, str], parents: list[str], where: str) -> None:
    """Nobody wants to know."""


def read_element(path: Path, *, watch: Watch = _unwatched, fast: bool = True) -> Element:
    """The root element of a file. fast=False: the parser reads every row, to the same result.

    Raises ReadError for a file that is not there, is not XML, defines entities, or has a row that breaks its rules.
    """
    try:
        with path.open("rb") as file:
            return _Document(str(path), watch, fast).read(file)
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from error


def parse_element(text: bytes, name: str, *, watch: Watch = _unwatched) -> Element:
    """The root element of a text that is not a file of its own. name: of the place it comes from. Raises ReadError."""
    document = _Document(name, watch, False)
    with document.errors():
        document.parser.Parse(text, True)
    return document.root()


class _Frame:
    """An element that is not closed yet. listing: its rows; row: whether it is one of them."""

    __slots__ = ("attributes", "children", "listing", "row", "tag", "text", "where")

    def __init__(self, tag: str, attributes: dict[str, str], where: str) -> None:
        self.tag, self.attributes, self.where = tag, attributes, where
        self.children: list[Element] = []
        self.text: list[str] = []
        self.listing: Listing | None = None
        self.row = False


def _row_frame(tag: str) -> _Frame:
    frame = _Frame(tag, {}, "")
    frame.row = True
    return frame


#: Rows leave nothing behind but columns, so that all of one tag share a frame.
_ROWS = {tag: _row_frame(tag) for tags in LISTS.values() for tag in tags}


class _Document:
    """One parse."""

    def __init__(self, name: str, watch: Watch, fast: bool) -> None:
        self.name, self.watch, self.fast = name, watch, fast
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.stack: list[_Frame] = []
        self.tags: list[str] = []
        self._root: Element | None = None
        self._line = 1
        self._inside = b""  # what ends the comment, section or instruction that the last piece began
        self._pause = _PAUSE[0]

    def root(self) -> Element:
        if self._root is None:
            raise ReadError("not XML: there is no element", where=self.name)
        return self._root

    def read(self, file: BinaryIO) -> Element:
        """Read a file in pieces that end with an element's end."""
        rest = file.read(PIECE)
        self.fast = self.fast and _ordinary(rest) and _prompt()
        while rest:
            more = file.read(PIECE)
            cut = rest.rfind(b">") + 1 if more else len(rest)
            if not cut and len(rest) > _LONGEST:
                self.fast, cut = False, len(rest)
            if cut:
                with self.errors():
                    self._piece(rest[:cut])
            rest = rest[cut:] + more
        with self.errors():
            self.parser.Parse(b"", True)
        return self.root()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """What the parser says as a ReadError with its line."""
        try:
            yield
        except expat.ExpatError as error:
            message = f"not XML: {expat.ErrorString(error.code)}"
            hint = "mend this line, or fetch the file again; if it is of another format, --from names that"
            raise ReadError(message, where=f"{self.name}:{error.lineno}", hint=hint) from error
        except (LookupError, ValueError) as error:
            # Before the first element: an encoding that Python does not have, or cannot use for this.
            if self.stack or self._root is not None:
                raise
            raise ReadError(f"not XML: {error}", where=f"{self.name}:1") from error

    # --- pieces -----------------------------------------------------------------------------------------------------

    def _piece(self, data: bytes) -> None:
        """One piece to the parser, but for the runs in it."""
        if not self.fast or b"\0" in data:
            self.fast = False
            self._parse(data)
            return
        done, place, resume = 0, self._after(data, 0), 0
        chunk = Chunk(data)
        while (mark := _MARKS.search(data, place)) is not None:
            place = mark.end()
            if mark.lastindex is not None:
                self._inside = _ENDS[mark.lastindex]
                place = self._after(data, place)
                continue
            if mark.start() < resume:
                continue
            self._parse(data[done : mark.start()])
            done, paused = self._run(chunk, mark.start())
            place = max(place, done)
            resume = place + paused
        self._parse(data[done:])

    def _parse(self, data: bytes) -> None:
        self.parser.Parse(data)
        self._line += data.count(b"\n")

    def _after(self, data: bytes, place: int) -> int:
        """Behind the comment that is open at a place; the end of the piece if it does not end there."""
        if not self._inside:
            return place
        found = data.find(self._inside, place)
        if found < 0:
            return len(data)
        place = found + len(self._inside)
        self._inside = b""
        return place

    def _run(self, chunk: Chunk, start: int) -> tuple[int, int]:
        """Take the run that begins here. Where the text behind it is, and how many bytes to try no other."""
        top = self.stack[-1] if self.stack else None
        tag = chunk.data[start + 1 : start + 40].split(maxsplit=1)[0].decode()
        if top is None or top.listing is None or tag not in top.listing.tags:
            return start, 0
        run = find_run(chunk, start, self._line)
        if run is not None:
            top.listing.add_block(run.rows)
            self._parse(b"\n" * run.newlines)
        if run is not None and 4 * run.rows.size >= run.looked:
            self._pause = _PAUSE[0]
            return run.stop, 0
        self._pause = min(2 * self._pause, _PAUSE[1])
        return (start if run is None else run.stop), self._pause

    # --- what the parser finds --------------------------------------------------------------------------------------

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        if internal or system or public:
            raise ReadError(
                "a document type definition is not read: it can define entities",
                where=f"{self.name}:{self.parser.CurrentLineNumber}",
                hint="remove the DOCTYPE, and write out what its entities stand for",
            )

    def _start(self, name: str, found: dict[str, str]) -> None:
        parent = self.stack[-1] if self.stack else None
        if parent is not None and parent.listing is not None:
            tag = name.rpartition(" ")[2]
            if tag in parent.listing.tags:
                parent.listing.add(tag, found, self.parser.CurrentLineNumber)
                self.stack.append(_ROWS[tag])
                self.tags.append(tag)
                return
        tag, foreign = _local(name)
        attributes = found
        if any(" " in key for key in found):
            attributes = {_attribute(key): value for key, value in found.items() if foreign or " " not in key}
        line = self.parser.CurrentLineNumber
        where = f"{self.name}:{line}"
        frame = _Frame(tag, attributes, where)
        if parent is not None and parent.row:
            self._in_row(tag, attributes, parent, line)
            frame.row = True
        else:
            self.watch(tag, attributes, self.tags, where)
            if tag in LISTS:
                frame.listing = Listing(tag, where)
        if len(self.stack) >= _DEEPEST:
            raise ReadError(f"more than {_DEEPEST} elements in one another", where=where)
        self.stack.append(frame)
        self.tags.append(tag)

    def _in_row(self, tag: str, attributes: dict[str, str], parent: _Frame, line: int) -> None:
        """An element in a row: only an instance has one, its location."""
        listing = self.stack[-2].listing
        if listing is None or tag != "location" or parent.tag != "instance":
            raise ReadError(f"<{tag}> is not allowed in <{parent.tag}>", where=f"{self.name}:{line}")
        listing.place(attributes, line)

    def _end(self, name: str) -> None:
        frame = self.stack.pop()
        self.tags.pop()
        parent = self.stack[-1] if self.stack else None
        if frame.row:
            if parent is not None and parent.listing is not None:
                parent.listing.end_row(frame.tag)
            return
        rows, text = None, "".join(frame.text)
        if frame.listing is not None:
            # White space between rows is not worth its memory, and runs leave only line ends of it.
            rows, text = frame.listing.finish(), text.strip()
        made = Element(frame.tag, frame.attributes, tuple(frame.children), text, frame.where, rows=rows)
        if parent is None:
            self._root = made
        else:
            parent.children.append(made)

    def _characters(self, text: str) -> None:
        """Text counts up to the first element in it, as a note has it."""
        top = self.stack[-1] if self.stack else None
        if top is None or top.row or top.children or (top.listing is not None and text.isspace()):
            return
        top.text.append(text)


def _ordinary(start: bytes) -> bool:
    """Whether a file is in UTF-8 or ASCII, by what its first bytes say."""
    if b"\0" in start[:64]:
        return False
    found = _DECLARED.match(start.removeprefix(_BOM))
    return found is None or found[1].lower() in (b"utf-8", b"us-ascii", b"ascii", b"utf8")


def _prompt() -> bool:
    """Whether the parser reports every element at once: newer ones may wait for more, unless they are told not to."""
    return expat.version_info < (2, 6) or hasattr(expat.XMLParserType, "SetReparseDeferralEnabled")


def _local(name: str) -> tuple[str, bool]:
    """The name of an element, and whether it is of a namespace that is not NeuroML's."""
    space, _, local = name.rpartition(" ")
    if space and "neuroml.org" not in space:
        return f"{{{space}}}{local}", True
    return local, False


def _attribute(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"{{{space}}}{local}" if space else local
