"""One figure as SVG that may stand inside a page beside others.

matplotlib draws in placeholder colours that become the page's own, so that one picture suits
light, dark and paper. Foreign text never meets matplotlib: a token is drawn and replaced.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Ink(StrEnum):
    """A colour of the page, by the placeholder it is drawn in."""

    INK = "#01f001"
    SOFT = "#01f002"
    LINE = "#01f003"
    GOOD = "#01f004"
    BAD = "#01f005"
    CURVE = "#01f006"
    WAVE = "#01f007"
    WINDOW = "#01f008"
    PERSON = "#01f009"
    CONTROLLER = "#01f00a"
    APPROVAL = "#01f00b"
    UNDRIVEN = "#01f00c"
    PROVING = "#01f00d"
    SETTLING = "#01f00e"
    IN_DOUBT = "#01f00f"
    RESTING = "#01f010"
    BETWEEN = "#01f011"
    HOLDING = "#01f012"
    BAR = "#01f013"
    PAPER = "#01f014"

    @property
    def variable(self) -> str:
        """Name the page's CSS variable."""
        return f"--{self.name.lower().replace('_', '-')}"


FONT = 12.0
"""Units of text; a figure's units are pixels where it is not scaled."""

_INKS = {ink.value: f"var({ink.variable})" for ink in Ink}
_COLOUR = re.compile("|".join(_INKS))
_NUMBER = re.compile(r"-?\d+\.\d+")
_SPACE = re.compile(r"\s+")
_NAMESPACE = re.compile(r"^\{[^}]*\}")
_FONT_FAMILY = re.compile(r"font-family:[^;]*;\s*")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_STILL = re.compile(r"rotate\(-?0 [^)]*\)")

_LOOK: dict[Any, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "orchestrator",
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "font.size": FONT,
    "path.simplify": False,
    "axes.edgecolor": Ink.LINE.value,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": Ink.LINE.value,
    "ytick.color": Ink.LINE.value,
    "xtick.labelcolor": Ink.SOFT.value,
    "ytick.labelcolor": Ink.SOFT.value,
    "text.color": Ink.SOFT.value,
    "grid.color": Ink.LINE.value,
    "grid.linewidth": 0.6,
}


@dataclass(slots=True)
class Sketch:
    """A figure that is being drawn, measured in its own units from the lower left corner."""

    figure: "Figure"
    width: float
    height: float
    texts: dict[str, str] = field(default_factory=dict)

    def axes(self, left: float, bottom: float, right: float, top: float) -> "Axes":
        """Give axes that leave these margins free."""
        axes = self.figure.add_axes(
            (
                left / self.width,
                bottom / self.height,
                (self.width - left - right) / self.width,
                (self.height - bottom - top) / self.height,
            ),
            facecolor="none",
            autoscale_on=False,
        )
        axes.patch.set_visible(False)
        return axes

    def foreign(self, text: str) -> str:
        """Give what to draw for text from outside, which takes its place in the end."""
        token = f"@{len(self.texts)}@"
        self.texts[token] = text
        return token


def drawn(
    name: str, size: tuple[float, float], paint: Callable[[Sketch], None], *, told: str
) -> str:
    """Draw one figure; `name` is unique in its page, `told` says what is seen to who cannot see it."""
    width, height = size
    with _looks():
        # Half a second to load, and no command but a report's needs it.
        from matplotlib.figure import Figure  # noqa: PLC0415

        sketch = Sketch(Figure(figsize=(width / 72, height / 72), dpi=72), width, height)
        sketch.figure.patch.set_visible(False)
        paint(sketch)
        written = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        sketch.figure.savefig(written, format="svg", metadata=nothing)
    root = ET.fromstring(written.getvalue())  # noqa: S314 - written by matplotlib just now
    _naturalize(root, name, sketch.texts)
    root.attrib = {
        "viewBox": f"0 0 {width:g} {height:g}",
        "role": "img",
        "aria-label": told,
        "class": "plot",
    }
    return ET.tostring(root, encoding="unicode")


@contextmanager
def _looks() -> Iterator[None]:
    """Draw by our own looks whatever a matplotlibrc says, and leave no trace of them."""
    import matplotlib as mpl  # noqa: PLC0415 - as above

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


def _naturalize(root: ET.Element, name: str, texts: dict[str, str]) -> None:
    """Make it one with its page: our colours, its own ids, few digits, no names of other sites."""
    referred = {found for each in root.iter() for found in _references(each)}
    for parent in list(root.iter()):
        for child in list(parent):
            if _NAMESPACE.sub("", child.tag) in {"style", "metadata"}:
                parent.remove(child)
    for each in root.iter():
        each.tag = _NAMESPACE.sub("", each.tag)
        each.attrib = dict(_attributes(each, name, referred))
        each.tail = None
        each.text = None if each.text is None else each.text.strip() or None
        if each.tag == "text" and each.text in texts:
            each.text = texts[each.text]


def _references(element: ET.Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        yield from _REFERENCE.findall(value)
        if _NAMESPACE.sub("", key) == "href":
            yield value.removeprefix("#")


def _attributes(element: ET.Element, name: str, referred: set[str]) -> Iterator[tuple[str, str]]:
    for full, value in element.attrib.items():
        key = _NAMESPACE.sub("", full)
        match key:
            case "id":
                if value in referred:
                    yield key, f"{name}-{value}"
            case "href":
                yield key, f"#{name}-{value.removeprefix('#')}"
            case "style":
                yield key, _COLOUR.sub(lambda found: _INKS[found[0]], _FONT_FAMILY.sub("", value))
            case "transform" if _STILL.fullmatch(value):
                continue
            case "d" | "x" | "y" | "transform" | "width" | "height":
                yield key, _SPACE.sub(" ", _NUMBER.sub(_short, value)).strip()
            case _:
                yield key, _REFERENCE.sub(rf"url(#{name}-\1)", value)


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")
