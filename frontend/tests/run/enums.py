from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum, auto, unique


class Color(Enum):
    """Colors."""

    RED = 1
    GREEN = 2
    BLUE = 3
    CRIMSON = 1

    @property
    def short(self) -> str:
        return self.name[0].lower()

    def next(self) -> "Color":
        return Color(self.value % 3 + 1)

    @classmethod
    def parse(cls, text: str) -> "Color":
        return cls[text.upper()]


class Level(IntEnum):
    LOW = auto()
    MID = auto()
    HIGH = 10
    TOP = auto()


@unique
class Mode(StrEnum):
    READ = "r"
    WRITE = "w"
    APPEND = auto()


class Status(str, Enum):
    OPEN = "open"
    DONE = "done"


class Shape(Enum):
    SQUARE = "square"
    CIRCLE = "circle"

    def __str__(self) -> str:
        return f"<{self.value}>"


def test_members() -> list[str]:
    c = Color.RED
    return [c.name, str(c.value), str(c), repr(c), f"{c}", c.short, str(c.next()), str(Color.parse("blue")), str(Color.CRIMSON), str([c, Color.BLUE])]


def test_identity() -> list[bool]:
    c = Color.RED
    return [c is Color.RED, c == Color.RED, c != Color.GREEN, c is not Color.GREEN, c is Color.CRIMSON, Color(2) is Color.GREEN, Color["BLUE"] == Color.BLUE, bool(c), c in (Color.RED, Color.BLUE), c in [Color.BLUE]]


def test_iteration() -> list[str]:
    out = [c.name for c in Color]
    for level in Level:
        out.append(f"{level.name}={level.value}")
    out.append(str(len(Color)))
    out += [m.value for m in list(Mode)]
    out += [m.name for m in sorted(Color, key=lambda c: -c.value)]
    return out


def test_int_enum() -> list[str]:
    level = Level.MID
    return [str(level), f"{level}", repr(level), str(level + 1), str(level < Level.HIGH), str(level == 2), str(Level.TOP * 2), str(max(Level.LOW, Level.TOP)), str(int(level)), str(level >= 2), str(bool(level)), str([10, 20, 30][Level.LOW])]


def test_str_enum() -> list[str]:
    m = Mode.READ
    return [str(m), f"{m}", repr(m), m + "x", m.upper(), str(m == "r"), Mode.APPEND.value, str(Mode("w") is Mode.WRITE), str(len(m.value)), "open" if Status.OPEN == "open" else "no", str(Status.DONE), Status.DONE.value]


def test_dict_keys() -> list[str]:
    prices = {Color.RED: 1.5, Color.GREEN: 2.5}
    prices[Color.BLUE] = 3.5
    counts: dict[Level, int] = {}
    for level in [Level.LOW, Level.LOW, Level.HIGH]:
        counts[level] = counts.get(level, 0) + 1
    return [str(prices[Color.GREEN]), str(Color.BLUE in prices), str(prices), str(counts[Level.LOW]), str(counts)]


def describe(c: Color) -> str:
    match c:
        case Color.RED:
            return "warm"
        case Color.GREEN | Color.BLUE:
            return "cold"


def label(m: Mode) -> str:
    match m:
        case Mode.READ:
            return "reads"
        case other:
            return other.name


def test_match() -> list[str]:
    return [describe(c) for c in Color] + [label(m) for m in Mode]


def test_bad_value() -> str:
    n = 7
    return Color(n).name


def test_bad_name() -> str:
    name = "PINK"
    return str(Color[name].value)


@dataclass
class Task:
    title: str
    color: Color = Color.GREEN
    modes: list[Mode] = field(default_factory=list)


def paint(task: Task, color: Color = Color.BLUE) -> Task:
    task.color = color
    return task


def test_in_dataclass() -> list[str]:
    t = Task("a")
    first = str(t)
    paint(t)
    t.modes.append(Mode.WRITE)
    return [first, str(t), str(t.color is Color.BLUE), str(t == Task("a", Color.BLUE, [Mode.WRITE]))]


def test_own_str() -> list[str]:
    return [str(Shape.SQUARE), f"{Shape.CIRCLE}", repr(Shape.CIRCLE)]


DEFAULT = Color.GREEN
LABELS = {Color.RED: "stop", Color.GREEN: "go"}


def test_constants() -> list[str]:
    return [DEFAULT.name, LABELS[Color.RED], LABELS.get(DEFAULT, "none")]
