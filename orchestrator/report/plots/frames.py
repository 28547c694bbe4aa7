"""The two shapes in which every picture is drawn: for a desk or paper, and for a phone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from orchestrator.report.plots.drawing import Sketch, drawn


@dataclass(frozen=True, slots=True)
class Frame:
    """A shape of picture; the page shows the one that suits its reader's screen."""

    name: str
    width: float
    ticks: int
    """Ticks that fit beside one another along its width."""

    @property
    def is_wide(self) -> bool:
        """True when there is room beside the drawing itself."""
        return self is WIDE


WIDE = Frame("wide", 912, 10)
NARROW = Frame("narrow", 358, 4)


class Paint(Protocol):
    """Draws one picture in either shape."""

    def __call__(self, sketch: Sketch, frame: Frame) -> None:
        """Draw it."""


def framed(
    name: str,
    height: Callable[[Frame], float],
    paint: Paint,
    *,
    told: str,
) -> dict[str, str]:
    """Draw a picture in both shapes, as SVG by the name of the shape."""
    return {
        frame.name: drawn(
            f"{name}-{frame.name}",
            (frame.width, height(frame)),
            partial(paint, frame=frame),
            told=told,
        )
        for frame in (WIDE, NARROW)
    }
