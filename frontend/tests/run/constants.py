from dataclasses import dataclass
from typing import Annotated, Final, Literal, NewType, TypeAlias

LIMIT = 10
DOUBLE = LIMIT * 2
NEGATIVE = -5
RATIO: Final = 0.5
NAME: Final[str] = "abc"
PRIMES = [2, 3, 5, 7]
ROMAN = {"I": 1, "V": 5, "X": 10}
NESTED: dict[str, list[int]] = {"a": [1, 2], "b": []}
PAIR = (1, "x")
EMPTY: list[str] = []
SQUARES = {n: n * n for n in range(4)}
WORDS = sorted("the quick brown fox".split())
TOTAL = sum(PRIMES)
LONGEST = max(WORDS, key=len)

Table = dict[str, int]
Matrix: TypeAlias = list[list[float]]
UserId = NewType("UserId", int)
Kind = Literal["a", "b"]
Small = Annotated[int, "small"]


@dataclass(frozen=True)
class Config:
    retries: int = 3
    name: str = "x"


CONFIG = Config(retries=5)


def roman(text: str) -> int:
    total = 0
    for i, c in enumerate(text):
        value = ROMAN[c]
        if i + 1 < len(text) and ROMAN[text[i + 1]] > value:
            total -= value
        else:
            total += value
    return total


def test_constants() -> list[int]:
    return [LIMIT, DOUBLE, NEGATIVE, len(NAME), TOTAL, SQUARES[3], roman("XIV"), PAIR[0], CONFIG.retries, len(EMPTY)] + PRIMES + NESTED["a"]


def test_loops() -> list[str]:
    out: list[str] = []
    for w in WORDS:
        out.append(w)
    for key, value in ROMAN.items():
        if value in PRIMES:
            out.append(key)
    return out + [LONGEST, CONFIG.name, str(RATIO), str(NESTED)]


def test_copy_of_a_constant() -> list[int]:
    mine = list(PRIMES)
    mine.append(11)
    return mine + PRIMES


def count(words: list[str]) -> Table:
    table: Table = {}
    for w in words:
        table[w] = table.get(w, 0) + 1
    return table


def transpose(m: Matrix) -> Matrix:
    return [[row[i] for row in m] for i in range(len(m[0]))]


def greet(user: UserId, kind: Kind = "a", size: Small = 2) -> str:
    return f"{kind}{user}" * size


def test_aliases() -> list[str]:
    user = UserId(7)
    local: Final = 3
    return [str(count(["a", "b", "a"])), str(transpose([[1.0, 2.0], [3.0, 4.0]])), greet(user), greet(UserId(1), "b", local), str(user + 1)]


def configured(config: Config = Config(), names: tuple[str, int] = ("n", 1)) -> str:
    return f"{config.retries}{names[0]}"


def test_object_as_default() -> list[str]:
    return [configured(), configured(CONFIG), configured(names=("z", 2))]
