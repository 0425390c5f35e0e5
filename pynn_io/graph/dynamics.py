"""Dynamics: what an ion channel, a synapse, an input or a cell *is*, in equations; and components, which are instances.

The words are LEMS's (Cannon et al. 2014, doi:10.3389/fninf.2014.00079): a `ComponentType` declares parameters, children
and equations, a `Component` is one of a type with numbers and children of its own, and a `Dynamics` is what a component
with all that is in it comes to: one flat system of equations (`pynn_io.lowering.dynamics.flatten` makes it).

All numbers are in the coherent units of `pynn_io.units.COHERENT` (ms, mV, nA, nF, uS, um, mM, K ...), in which every
equation holds without conversion factors. A dimension is a name of `pynn_io.units.DIMENSIONS`, or one that the types
declare themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pynn_io.graph.columns import empty
from pynn_io.graph.expressions import Expression

# --- components ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Component:
    """One component: ``<ionChannelHH id="na" conductance="10pS"> ... </ionChannelHH>``.

    type: name of its `ComponentType` (a ``type`` attribute wins over the element's name).
    id: its own, unique among its siblings; empty for a child that needs none.
    parameters: numbers in coherent units (temperatures in K), as stated.
    texts: attributes that are no numbers: ``species="na"``, ``from="C1"``, and references (``synapse="syn1"``).
    children: (role, component) in the order of the file; the role is the child's element (``gateHHrates``,
        ``forwardRate``, ``notes``...).
    tag: the element it was written as, where that is not the type's name.
    """

    type: str
    id: str = ""
    parameters: Mapping[str, float] = field(default_factory=empty)
    texts: Mapping[str, str] = field(default_factory=empty)
    children: tuple[tuple[str, Component], ...] = ()
    tag: str = field(default="", compare=False)

    def all(self, *roles: str) -> tuple[Component, ...]:
        """The children in any of these roles, in order."""
        return tuple(child for role, child in self.children if role in roles)

    def walk(self) -> Iterator[Component]:
        """It and everything in it, parents first."""
        yield self
        for _, child in self.children:
            yield from child.walk()


# --- pieces of equations ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """``value`` where ``condition`` holds; None: where no case before it does."""

    value: Expression
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A variable that follows from others at every moment.

    cases: tried in order; a plain one is one case without a condition. select, reduce: in a `ComponentType` only, a
    path to variables of children (``gates[*]/fopen``), and ``add`` or ``multiply`` for several, without ``cases``.
    """

    name: str
    dimension: str
    cases: tuple[Case, ...] = ()
    select: str = ""
    reduce: str = ""

    @property
    def value(self) -> Expression | None:
        """Its expression where it is unconditional."""
        plain = len(self.cases) == 1 and self.cases[0].condition is None
        return self.cases[0].value if plain else None


@dataclass(frozen=True, slots=True)
class Assignment:
    """``variable = value``, at one moment."""

    variable: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Emit:
    """An event leaves through ``port``."""

    port: str


@dataclass(frozen=True, slots=True)
class Transition:
    """The system goes over into another regime."""

    regime: str


Action: TypeAlias = Assignment | Emit | Transition


@dataclass(frozen=True, slots=True)
class OnCondition:
    """What happens when ``test`` becomes true. Assignments follow one another; derived variables are those before."""

    test: Expression
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class OnEvent:
    """What happens when an event comes in through ``port``; ``weight`` is a variable there."""

    port: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Regime:
    """Equations that hold only while the system is in this regime, beside those that always hold."""

    name: str
    initial: bool = False
    on_entry: tuple[Action, ...] = ()
    derivatives: Mapping[str, Expression] = field(default_factory=empty)
    conditions: tuple[OnCondition, ...] = ()
    events: tuple[OnEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Kinetics:
    """A Markov process: ``states`` are occupancies that add up to 1 and start at the steady state.

    edges: (source, target, forward, reverse), the last two variables, rates per ms.
    """

    name: str
    states: tuple[str, ...]
    edges: tuple[tuple[str, str, str, str], ...]


# --- flat equations -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dynamics:
    """One flat system of equations.

    name: of the component it was made from. type: that one's type.
    parameters, constants: name -> value; constants are the types' own, the same for all components of them.
    dimensions: name -> dimension, of every name here.
    needs: variables that come from where it is (``v``, ``temperature``, ``caConc``, ``surfaceArea``, ``iCa`` ...).
    gives: variables that others see, under the names that the type gave them (``i``, ``g``, ``fopen``, ``v``).
    states: state variables; what nobody starts is 0. derivatives: state -> rate of change per ms; a state without one
        changes only by actions.
    derived: in an order in which each uses only what stands before it. derived_parameters: the same, of parameters
        alone: evaluated once.
    on_start: values at the start, in order. conditions, events, regimes, kinetics: see there. ports: event port -> in
        or out.
    """

    name: str
    type: str
    parameters: Mapping[str, float] = field(default_factory=empty)
    constants: Mapping[str, float] = field(default_factory=empty)
    dimensions: Mapping[str, str] = field(default_factory=empty)
    needs: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    derived_parameters: tuple[Derived, ...] = ()
    derived: tuple[Derived, ...] = ()
    derivatives: Mapping[str, Expression] = field(default_factory=empty)
    on_start: tuple[Assignment, ...] = ()
    conditions: tuple[OnCondition, ...] = ()
    events: tuple[OnEvent, ...] = ()
    regimes: tuple[Regime, ...] = ()
    kinetics: tuple[Kinetics, ...] = ()
    ports: Mapping[str, str] = field(default_factory=empty)


# --- types --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KineticScheme:
    """States and transitions of a Markov process (``gateKS``): LEMS's ``<KineticScheme>``, by the roles of children.

    nodes, edges: roles of the children that are states and transitions. state: the state variable of a node. source,
    target: the text attributes of an edge that name nodes. forward, reverse: variables of an edge.
    """

    name: str
    nodes: str
    edges: str
    state: str
    source: str
    target: str
    forward: str
    reverse: str


@dataclass(frozen=True, slots=True)
class Construction:
    """A step of LEMS's ``<Structure>``: what a component builds when it is made, with the steps inside it.

    kind: ``ChildInstance``, ``MultiInstantiate``, ``With``, ``ForEach``, ``EventConnection``, ``Tunnel`` ...
    attributes: as they are stated.
    """

    kind: str
    attributes: tuple[tuple[str, str], ...] = ()
    steps: tuple[Construction, ...] = ()


#: The step that takes in what a reference names, as equations that select ``ionChannel/g`` do by themselves.
CHILD_INSTANCE = "ChildInstance"


@dataclass(frozen=True, slots=True)
class ComponentType:
    """A kind of component, with what it inherits left to ``extends`` (`pynn_io.lowering.types.Types` joins them).

    parameters: name -> dimension; those in ``defaults`` need not be stated (LEMS ``<Property>``, ``<Fixed>``).
    constants: name -> (dimension, value). derived_parameters: from parameters and constants.
    needs, gives: ``<Requirement>`` and ``<Exposure>``, name -> dimension. exposed: exposure -> variable, where their
        names differ. ports: event port -> in or out. texts: ``<Text>`` and ``<Path>``. references: role -> type, of
        ``<ComponentReference>`` and ``<Link>``. child, children: role -> type, of ``<Child>`` and ``<Children>``;
        attachments: role -> type of what may be attached from outside (``synapses``).
    states: name -> dimension. The rest: as in `Dynamics`.
    structure: what is built besides equations. where: ``file:line``, for errors.
    """

    name: str
    extends: str = ""
    description: str = field(default="", compare=False)
    parameters: Mapping[str, str] = field(default_factory=empty)
    defaults: Mapping[str, float] = field(default_factory=empty)
    constants: Mapping[str, tuple[str, float]] = field(default_factory=empty)
    derived_parameters: tuple[Derived, ...] = ()
    needs: Mapping[str, str] = field(default_factory=empty)
    gives: Mapping[str, str] = field(default_factory=empty)
    exposed: Mapping[str, str] = field(default_factory=empty)
    ports: Mapping[str, str] = field(default_factory=empty)
    texts: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=empty)
    child: Mapping[str, str] = field(default_factory=empty)
    children: Mapping[str, str] = field(default_factory=empty)
    attachments: Mapping[str, str] = field(default_factory=empty)
    states: Mapping[str, str] = field(default_factory=empty)
    derived: tuple[Derived, ...] = ()
    derivatives: Mapping[str, Expression] = field(default_factory=empty)
    on_start: tuple[Assignment, ...] = ()
    conditions: tuple[OnCondition, ...] = ()
    events: tuple[OnEvent, ...] = ()
    regimes: tuple[Regime, ...] = ()
    kinetic_schemes: tuple[KineticScheme, ...] = ()
    structure: tuple[Construction, ...] = ()
    where: str = field(default="", compare=False)
