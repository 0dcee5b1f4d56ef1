"""A connection's layers, looked at one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from odibi_magics.connections.base import Refused
from odibi_magics.doctor.commands import command_in
from odibi_magics.doctor.diagnosis import Diagnosis, Layer, failed
from odibi_magics.secret import redact


@dataclass(frozen=True)
class Step:
    """look: finds out about the layer; may raise Refused. after: the layers that it stands on, which must
    be ok, or could not be looked at by themselves."""

    name: str
    look: Callable[[], Layer]
    after: tuple[str, ...] = ()


def examine(about: Diagnosis, steps: Sequence[Step]) -> Iterator[Diagnosis]:
    """The diagnosis as it grows, whenever a layer begins or ends; the last one is whole."""
    layers = {step.name: Layer(step.name, "queued") for step in steps}
    begin = monotonic()

    def now() -> Diagnosis:
        return replace(about, layers=tuple(layers.values()), seconds=monotonic() - begin)

    for step in steps:
        broken = next((name for name in step.after if not _lets_go_on(layers[name])), None)
        if broken:
            layers[step.name] = Layer(step.name, "skipped", f"after {_cause(layers[broken])}")
            continue
        layers[step.name] = Layer(step.name, "running")
        yield now()
        layers[step.name] = _looked(step)
    yield now()


def _lets_go_on(layer: Layer) -> bool:
    """Whether what stands on a layer is looked at: not where it is itself left out after another."""
    return layer.state == "ok" or (layer.state == "skipped" and not layer.said.startswith("after "))


def _cause(layer: Layer) -> str:
    """The layer that a skipped one goes back to."""
    return layer.said.removeprefix("after ") if layer.state == "skipped" else layer.name


def _looked(step: Step) -> Layer:
    begin = monotonic()
    try:
        found = step.look()
    except Refused as error:
        found = of_refusal(error)
    except ModuleNotFoundError as error:
        install = "pip install 'odibi-magics[azure]'"
        found = failed(f"{error.name} is not installed", "Install what Azure connections need", install)
    said, remedy, command = map(redact, (found.said, found.remedy, found.command))
    return replace(
        found, name=step.name, said=said, remedy=remedy, command=command, seconds=monotonic() - begin
    )


def of_refusal(error: Refused) -> Layer:
    """A layer that failed with words of the connections' own."""
    return failed(error.said, error.remedy, command_in(error.remedy), may_pass=error.kind == "role")


def awaiting(found: Diagnosis) -> Diagnosis:
    """The same, its failure one that is looked at again until a role has come into effect."""
    layers = (
        replace(layer, state="running", said=f"{layer.said}; waiting for a role to come into effect")
        if layer is found.failure
        else layer
        for layer in found.layers
    )
    return replace(found, layers=tuple(layers))


def cut_short(found: Diagnosis, seconds: float) -> Diagnosis:
    """A diagnosis that the deadline ended: what was looked at then failed, what was to come is skipped."""
    layers = [_late(layer, seconds) for layer in found.layers]
    late = next((layer.name for layer in layers if layer.state == "failed"), "")
    kept = [
        replace(one, state="skipped", said=f"after {late}") if one.state == "queued" else one
        for one in layers
    ]
    return replace(found, layers=tuple(kept), seconds=seconds)


def _late(layer: Layer, seconds: float) -> Layer:
    if layer.state != "running":
        return layer
    said = f"no answer within the {seconds:g} s that there are for all"
    remedy = "Check the network, and the firewall between here and there; then try again"
    return replace(failed(said, remedy), name=layer.name)
