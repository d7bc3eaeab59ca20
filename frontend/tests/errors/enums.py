from enum import Enum, IntEnum

from deepslate import flow

TABLE = {"a": 1}
WORDS: list[str] = []
LOOP_A = [LOOP_B]
LOOP_B = [LOOP_A]


def touch() -> None:
    TABLE["b"] = 2
    WORDS.append("x")


class Color(Enum):
    RED = 1
    BLUE = 2


class Odd(Enum):
    A = 1
    B = "b"


class Shared:
    NAMES = ["a"]
    COUNT = 1

    def add(self, name: str) -> None:
        self.NAMES.append(name)


def more() -> None:
    Shared.COUNT += 1


class Level(IntEnum):
    LOW = 1


@flow
async def main(c: Color, n: int) -> str:
    print(Color.PINK)
    print(c < Color.BLUE)
    print(c == 1)
    print(Odd.A)
    c.value = 3
    print(c.label)
    k: Color = 1
    print(Color("x"))
    print(TABLE["a"], WORDS)
    print(LOOP_A)
    level: Level = n
    print(Shared.NAMES, Shared.COUNT)
    match c:
        case Color.RED:
            return "red"
