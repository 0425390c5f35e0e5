"""NeuroML 2.3.1 documents as XML, streamed: memory does not grow with the network.

Source of the rules: NeuroML_v2.3.1.xsd (element order, attribute patterns) and what jNeuroML accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from pynn_io.errors import WriteError
from pynn_io.formats.neuroml_records import (
    Connections,
    DocumentHead,
    Element,
    Endpoint,
    InputRecord,
    NetworkRecord,
    PopulationRecord,
    ProjectionRecord,
    SpikeArray,
)
from pynn_io.formats.text_blocks import LINES, float_text, integer_text, lines, text_of
from pynn_io.progress import Progress, quiet

NAMESPACE = "http://www.neuroml.org/schema/neuroml2"
SCHEMA = "https://raw.github.com/NeuroML/NeuroML2/development/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"


def write_document(
    path: Path, head: DocumentHead, network: NetworkRecord | None = None, *, progress: Progress = quiet
) -> None:
    """Write a NeuroML document. ``network`` may be None (a file of components).

    Raises WriteError: the disk says no, a number is not finite, an element is not NeuroML.
    """
    try:
        with path.open("wb") as file:
            _Writer(file, str(path), progress).document(head, network)
    except OSError as error:
        raise WriteError(f"cannot write: {error.strerror or error}", where=path) from error


def document_text(head: DocumentHead) -> str:
    """The document without a network and without an XML declaration, which a string must not have in lxml."""
    buffer = _Buffer()
    _Writer(buffer, head.id, quiet).root(head, None)
    return b"".join(buffer.parts).decode()


class _Buffer:
    def __init__(self) -> None:
        self.parts: list[bytes | bytearray] = []

    def write(self, data: bytes | bytearray) -> int:
        self.parts.append(data)
        return len(data)


class _Writer:
    """Writes elements to a binary file. ``where`` names the file in errors."""

    def __init__(self, file: BinaryIO | _Buffer, where: str, progress: Progress) -> None:
        self._file = file
        self._where = where
        self._progress = progress

    def document(self, head: DocumentHead, network: NetworkRecord | None) -> None:
        """The whole file."""
        self._put('<?xml version="1.0" encoding="UTF-8"?>\n')
        self.root(head, network)

    def root(self, head: DocumentHead, network: NetworkRecord | None) -> None:
        """The <neuroml> element."""
        self._put(
            f'<neuroml xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="{NAMESPACE} {SCHEMA}" id={quoteattr(head.id)}>\n'
        )
        self._notes(head.notes, 1)
        for item in head.before:
            self.element(item, 1)
        for href in head.includes:
            self._put(f"    <include href={quoteattr(href)}/>\n")
        for component in head.ordered():
            if isinstance(component, SpikeArray):
                self._spike_array(component)
            else:
                self.element(component, 1)
        if network is not None and network.within is not None:
            self._within(network.within, network)
        elif network is not None:
            self._network(network)
        self._put("</neuroml>\n")

    def element(self, item: Element, depth: int) -> None:
        """One element with everything in it."""
        pad = "    " * depth
        start = f"{pad}<{item.tag}{attributes_text(item.attributes)}"
        if not item.children and not item.text and not item.markup:
            self._put(f"{start}/>\n")
            return
        if not item.children and not item.markup:
            self._put(f"{start}>{escape(item.text)}</{item.tag}>\n")
            return
        self._put(f"{start}>\n")
        for child in item.children:
            self.element(child, depth + 1)
        if item.markup:
            self._put(f"{pad}    {item.markup}\n")
        self._put(f"{pad}</{item.tag}>\n")

    def _put(self, text: str) -> None:
        self._file.write(text.encode())

    def _notes(self, notes: str, depth: int) -> None:
        if notes:
            self._put("    " * depth + f"<notes>{escape(notes)}</notes>\n")

    def _properties(self, properties: Iterable[tuple[str, str]], depth: int) -> None:
        for tag, value in properties:
            self.element(Element("property", {"tag": tag, "value": value}), depth)

    def _spike_array(self, item: SpikeArray) -> None:
        self._put(f"    <spikeArray id={quoteattr(item.id)}>\n")
        for start in range(0, len(item.times), LINES):
            times = item.times[start : start + LINES]
            ids = integer_text(np.arange(start, start + len(times)))
            text = self._floats(times, item.id, "spike time")
            self._file.write(
                lines([b'        <spike id="', ids, b'" time="', text, b'ms"/>\n'], len(times)) if len(times) else b""
            )
        self._put("    </spikeArray>\n")

    def _within(self, around: Element, network: NetworkRecord) -> None:
        self._put(f"    <{around.tag}{attributes_text(around.attributes)}>\n")
        for child in around.children:
            self.element(child, 2)
        self._network(network)
        self._put(f"    </{around.tag}>\n")

    def _network(self, network: NetworkRecord) -> None:
        attributes = {"id": network.id}
        if network.temperature is not None:
            text = number_text(network.temperature)
            attributes |= {"type": "networkWithTemperature", "temperature": f"{text}degC"}
        self._put(f"    <network{attributes_text({**attributes, **network.attributes})}>\n")
        self._notes(network.notes, 2)
        self._properties(network.properties, 2)
        for item in network.extra:
            self.element(item, 2)
        for population in network.populations:
            self._population(population)
        for item in network.after:
            self.element(item, 2)
        for projection in network.single:
            self._single(projection)
        for projections in (network.projections, network.electrical, network.continuous):
            for projection in projections:
                self._projection(projection)
        for inputs in network.inputs:
            self._inputs(inputs)
        self._put("    </network>\n")

    def _population(self, record: PopulationRecord) -> None:
        end = record.end
        attributes = {"id": end.population, "component": end.component, "size": str(end.size)}
        if record.locations is not None:
            attributes["type"] = "populationList"
        attributes |= record.attributes
        start = f"        <population{attributes_text(attributes)}"
        if record.locations is None and not record.properties and not record.notes and not record.extra:
            self._put(f"{start}/>\n")
            return
        self._put(f"{start}>\n")
        self._notes(record.notes, 3)
        if record.locations is None and record.properties:
            # jLEMS cannot resolve ../pop[0] in a population that has a <property> child; in an <annotation> it can.
            self._put("            <annotation>\n")
            self._properties(record.properties, 4)
            self._put("            </annotation>\n")
        else:
            self._properties(record.properties, 3)
        for item in record.extra:
            self.element(item, 3)
        if record.locations is not None:
            self._instances(record.locations, end, record.numbers)
        self._put("        </population>\n")

    def _instances(
        self, locations: tuple[np.ndarray, np.ndarray, np.ndarray], end: Endpoint, numbers: np.ndarray | None
    ) -> None:
        for start in range(0, end.size, LINES):
            stop = min(start + LINES, end.size)
            x, y, z = (self._floats(axis[start:stop], end.population, "location") for axis in locations)
            fields: list[bytes | np.ndarray] = [
                b'            <instance id="',
                integer_text(np.arange(start, stop) if numbers is None else numbers[start:stop]),
                b'"><location x="',
                x,
            ]
            fields += [b'" y="', y, b'" z="', z, b'"/></instance>\n']
            self._file.write(lines(fields, stop - start))

    def _projection(self, record: ProjectionRecord) -> None:
        tag = record.tag
        attributes = {
            "id": record.id,
            "presynapticPopulation": record.pre.population,
            "postsynapticPopulation": record.post.population,
        }
        if tag == "projection":
            attributes["synapse"] = record.synapse
        self._put(f"        <{tag}{attributes_text(attributes)}>\n")
        done = 0
        for block in record.blocks:
            for start in range(0, block.size, LINES):
                piece = _rows(block, start, min(start + LINES, block.size))
                self._file.write(self._connection_lines(record, piece, done))
                done += piece.size
            self._progress(record.id, done, record.size)
        self._put(f"        </{tag}>\n")

    def _single(self, record: ProjectionRecord) -> None:
        names = np.array([name.encode() for _, name in record.pairs])
        for block in record.blocks:
            for start in range(0, block.size, LINES):
                piece = _rows(block, start, min(start + LINES, block.size))
                kind = np.zeros(piece.size, dtype=np.int64) if piece.kind is None else piece.kind
                fields: list[bytes | np.ndarray] = [b"        <synapticConnection"]
                for name, end, cells in ((b' from="', record.pre, piece.pre), (b'" to="', record.post, piece.post)):
                    before, after = end.path("\0").encode().split(b"\0")
                    fields += [name + before, integer_text(cells), after]
                fields += [b'" synapse="', names[kind], b'" destination="synapses"/>\n']
                self._file.write(lines(_joined(fields), piece.size))

    def _connection_lines(self, record: ProjectionRecord, block: Connections, first: int) -> bytearray:
        if record.tag != "projection":
            cell, segment = (b"preCell", b"postCell"), (b"preSegment", b"postSegment")
            tag = record.tag.removesuffix("Projection").encode()
            tag += b"ConnectionInstanceW" if block.weight is not None else b"ConnectionInstance"
        else:
            cell, segment = (b"preCellId", b"postCellId"), (b"preSegmentId", b"postSegmentId")
            tag = b"connection" if block.weight is None and block.delay is None else b"connectionWD"
        fields: list[bytes | np.ndarray] = [b"            <" + tag + b' id="']
        numbers = np.arange(first, first + block.size) if block.number is None else block.number
        fields.append(integer_text(numbers))
        sides = (
            (cell[0], record.pre, block.pre, segment[0], block.pre_segment, block.pre_fraction),
            (cell[1], record.post, block.post, segment[1], block.post_segment, block.post_fraction),
        )
        for (name, end, cells, word, segments, fractions), along in zip(
            sides, (b"preFractionAlong", b"postFractionAlong"), strict=True
        ):
            fields += self._cell(name, end, cells)
            if segments is not None:
                fields += [b'" ' + word + b'="', integer_text(segments)]
            if fractions is not None:
                fields += [b'" ' + along + b'="', self._floats(fractions, record.id, "fraction along")]
        fields += self._components(record, block)
        if tag == b"connectionWD" or block.weight is not None:
            fields += [b'" weight="', self._number(block.weight, 1.0, record.id, "weight")]
        if tag == b"connectionWD":
            fields += [b'" delay="', self._number(block.delay, 0.0, record.id, "delay"), b"ms"]
        fields.append(b'"/>\n')
        return lines(_joined(fields), block.size)

    def _components(self, record: ProjectionRecord, block: Connections) -> list[bytes | np.ndarray]:
        """The components that electrical and continuous connections name one by one."""
        if record.tag == "projection":
            return []
        before, after = (np.array([name.encode() for name in names]) for names in zip(*record.pairs, strict=True))
        kind = np.zeros(block.size, dtype=np.int64) if block.kind is None else block.kind
        if record.tag == "electricalProjection":
            return [b'" synapse="', after[kind]]
        return [b'" preComponent="', before[kind], b'" postComponent="', after[kind]]

    def _cell(self, name: bytes, end: Endpoint, cells: np.ndarray) -> list[bytes | np.ndarray]:
        before, after = end.path("\0").encode().split(b"\0")
        return [b'" ' + name + b'="../' + before, integer_text(cells), after]

    def _inputs(self, record: InputRecord) -> None:
        attributes = {"id": record.id, "population": record.target.population, "component": record.component}
        self._put(f"        <inputList{attributes_text(attributes)}>\n")
        tag = b"inputW" if record.weight is not None else b"input"
        for start in range(0, len(record.targets), LINES):
            rows = slice(start, start + LINES)
            targets = record.targets[rows]
            fields: list[bytes | np.ndarray] = [b"            <" + tag + b' id="']
            fields.append(integer_text(np.arange(start, start + len(targets))))
            fields += self._cell(b"target", record.target, targets)
            fields.append(b'" destination="synapses')
            if record.segment is not None:
                fields += [b'" segmentId="', integer_text(record.segment[rows])]
            if record.fraction is not None:
                fields += [b'" fractionAlong="', self._floats(record.fraction[rows], record.id, "fraction along")]
            if record.weight is not None:
                fields += [b'" weight="', self._floats(record.weight[rows], record.id, "weight")]
            fields.append(b'"/>\n')
            self._file.write(lines(_joined(fields), len(targets)))
        self._put("        </inputList>\n")

    def _number(self, value: np.ndarray | float | None, default: float, what: str, field: str) -> bytes | np.ndarray:
        if isinstance(value, np.ndarray):
            return self._floats(value, what, field)
        text = self._floats(np.array([default if value is None else value]), what, field)
        return text_of(text[0]).encode()

    def _floats(self, values: np.ndarray, what: str, field: str) -> np.ndarray:
        try:
            return float_text(np.ma.getdata(values))
        except ValueError:
            raise WriteError(
                f"a {field} of {what!r} is not a finite number, which NeuroML cannot state",
                where=self._where,
                hint="Look for NaN or infinity in the source.",
            ) from None


def number_text(value: float) -> str:
    """One number as NeuroML writes it: the shortest exact text, no plus sign in the exponent."""
    return text_of(float_text(np.array([value], dtype=np.float64))[0])


def quantity(value: float, unit: str) -> str:
    """A number with its unit; the unit ``1`` or an empty one writes the bare number."""
    return number_text(value) + (unit if unit != "1" else "")


def attributes_text(attributes: Mapping[str, str]) -> str:
    """``{"a": "1"}`` -> `` a="1"``, escaped, with a leading space."""
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())


def _rows(block: Connections, start: int, stop: int) -> Connections:
    def cut(column: np.ndarray | float | None) -> np.ndarray | float | None:
        return column[start:stop] if isinstance(column, np.ndarray) else column

    return Connections(*(cut(getattr(block, name)) for name in Connections.__slots__))  # type: ignore[arg-type]


def _joined(fields: list[bytes | np.ndarray]) -> list[bytes | np.ndarray]:
    """Neighbouring literals as one, which makes fewer columns."""
    result: list[bytes | np.ndarray] = []
    for field in fields:
        if isinstance(field, bytes) and result and isinstance(result[-1], bytes):
            result[-1] += field
        else:
            result.append(field)
    return result
