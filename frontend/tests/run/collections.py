from dataclasses import dataclass, field


@dataclass
class Point:
    x: int
    y: int = 2


@dataclass(frozen=True)
class Key:
    name: str
    number: int


@dataclass
class Bag:
    owner: Point
    items: list[int] = field(default_factory=list)
    prices: dict[str, float] = field(default_factory=dict)


def test_lists() -> list[int]:
    xs = [3, 1, 2]
    xs.append(5)
    xs[0] = 10
    xs[-1] += 1
    xs.insert(1, 7)
    xs.extend([8, 9])
    xs += [1]
    last = xs.pop()
    first = xs.pop(0)
    xs.remove(7)
    return xs + [last, first, len(xs), xs.index(2), xs.count(8)]


def test_aliasing() -> list[int]:
    a = [1]
    b = a
    b += [2]
    b.append(3)
    return a


def test_concat_is_new() -> list[list[int]]:
    a = [1]
    b = a + [2]
    b.append(3)
    return [a, b, a * 3]


def test_slices() -> list[list[int]]:
    xs = [0, 1, 2, 3, 4, 5]
    return [xs[1:3], xs[:2], xs[4:], xs[::2], xs[::-1], xs[-2:], xs[1:-1], xs[10:], xs[5:1:-2]]


def test_text_slices() -> list[str]:
    s = "héllo wörld"
    return [s[1], s[-1], s[1:4], s[::-1], s[:-6], s[20:], s[::3]]


def test_nested() -> int:
    grid: list[list[int]] = []
    for i in range(3):
        row: list[int] = []
        for j in range(3):
            row.append(i * j)
        grid.append(row)
    grid[1][1] = 100
    return sum(grid[1]) + grid[2][2]


def test_index_error() -> int:
    xs = [1]
    return xs[3]


def test_key_error() -> int:
    d = {"a": 1}
    return d["b"]


def test_dicts() -> dict[str, int]:
    d: dict[str, int] = {}
    d["one"] = 1
    d["two"] = 2
    d["one"] += 10
    d.update({"three": 3})
    del d["two"]
    if "one" in d and "two" not in d:
        d["ok"] = len(d)
    d["got"] = d.get("nine", 9) + d.get("three", 0)
    return d


def test_dict_of_lists() -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for n in range(6):
        name = "even" if n % 2 == 0 else "odd"
        if name not in groups:
            groups[name] = []
        groups[name].append(n)
    return groups


def test_dict_keys() -> dict[int, str]:
    return {3: "c", 1: "a", 3: "cc"}


def test_tuple_keys() -> int:
    d: dict[tuple[int, str], int] = {(1, "a"): 5}
    d[(2, "b")] = 6
    return d[(1, "a")] + d[(2, "b")]


def test_frozen_keys() -> int:
    d = {Key("a", 1): 10}
    d[Key("b", 2)] = 20
    return d[Key("a", 1)] + d[Key("b", 2)]


def test_items() -> list[str]:
    d = {"a": 1, "b": 2}
    out: list[str] = []
    for key, value in d.items():
        out.append(f"{key}={value}")
    for key in d:
        out.append(key)
    for value in d.values():
        out.append(str(value))
    for pair in d.items():
        out.append(pair[0] * pair[1])
    for key in d.keys():
        out.append(key.upper())
    return out


def test_changed_while_iterating() -> int:
    d = {"a": 1, "b": 2}
    n = 0
    for key in d:
        n += 1
        d[key + "x"] = n
    return n


def test_replace_while_iterating() -> dict[str, int]:
    d = {"a": 1, "b": 2}
    for key in d:
        d[key] = d[key] * 10
    return d


def test_list_grows_while_iterating() -> list[int]:
    xs = [1, 2, 3]
    for x in xs:
        if x < 3:
            xs.append(x + 10)
    return xs


def test_list_shrinks_while_iterating() -> list[int]:
    xs = [1, 2, 3, 4]
    seen: list[int] = []
    for x in xs:
        seen.append(x)
        xs.pop()
    return seen


def test_equality() -> list[bool]:
    return [
        [1, 2] == [1, 2],
        [1, 2] != [1, 3],
        {"a": 1} == {"a": 1},
        (1, "x") == (1, "x"),
        Point(1) == Point(1, 2),
        Point(1) != Point(2),
        "a" < "b",
        [1, 2] < [1, 3],
        (1, 2) >= (1, 1),
        b"a" < b"b",
        "abc" == "abc",
    ]


def test_in() -> list[bool]:
    n = 3
    return [
        3 in [1, 2, 3],
        n in (1, 2),
        n not in (1, 2),
        "b" in "abc",
        "x" not in "abc",
        97 in b"abc",
        b"bc" in b"abc",
        n in [],
        "a" in ("a", "b"),
    ]


def test_dataclass() -> list[int]:
    p = Point(1)
    q = Point(y=5, x=4)
    p.x += 10
    q.y = p.x + q.y
    r = p
    r.y = 0
    return [p.x, p.y, q.x, q.y]


def test_nested_dataclass() -> Bag:
    bag = Bag(Point(1, 2))
    other = Bag(owner=Point(3), items=[9])
    bag.items.append(4)
    bag.items.append(other.items[0])
    bag.owner.x = 7
    bag.prices["x"] = 1.5
    return bag


def test_repr() -> str:
    return f"{Point(1)} {[1.0, 2.5]!r} {('a', 1)} {Key('k', 2)!r}"


def test_unpacking() -> list[int]:
    a, b = 1, 2
    a, b = b, a
    pair = (a, b)
    c, d = pair
    (e, f), g = (5, 6), 7
    [h, i] = pair
    x = y = 3
    return [a, b, c, d, e, f, g, h, i, x, y]


def test_swap_elements() -> list[int]:
    xs = [1, 2, 3]
    xs[0], xs[2] = xs[2], xs[0]
    return xs


def divide(a: int, b: int) -> tuple[int, int]:
    return a // b, a % b


def test_tuple_result() -> int:
    quotient, rest = divide(17, 5)
    return quotient * 100 + rest * 10 + divide(9, 4)[1]


def test_tuples() -> list[int]:
    t = (1, 2, 3)
    return [t[0], t[-1], len(t), sum([x for x in t])]


def test_comprehensions() -> list[int]:
    squares = [x * x for x in range(6) if x % 2 == 0]
    pairs = [i * 10 + j for i in range(3) for j in range(3) if i < j]
    lengths = {word: len(word) for word in ["a", "bb"]}
    return squares + pairs + [lengths["a"], lengths["bb"]]


def test_comprehension_scope() -> int:
    x = 5
    ys = [x for x in range(3)]
    return x + len(ys)


def test_nested_comprehension() -> list[list[int]]:
    return [[i * j for j in range(3)] for i in range(2)]


def test_any_all() -> list[bool]:
    xs = [1, 2, 3]
    return [
        any(x > 2 for x in xs),
        all(x > 0 for x in xs),
        any(x > 5 for x in xs),
        all(x < 3 for x in xs),
        any(x // (x - 3) > 0 for x in [4, 3]),
        any(i == j for i in range(3) for j in range(3)),
    ]


def test_generator_arguments() -> list[int]:
    return [sum(x * x for x in range(4)), max(x % 3 for x in [4, 5, 6])]


def test_sorted() -> list[int]:
    xs = [3, 1, 2]
    ys = sorted(xs)
    xs.sort(reverse=True)
    return xs + ys + sorted([5, 6], reverse=True) + list(reversed(ys))


def test_for_over_text() -> list[str]:
    return [c.upper() for c in "añz"]


def test_for_over_bytes() -> list[int]:
    return [b for b in b"\x00\xff"]


def test_bytes() -> bytes:
    data = b"ab" + bytes([1, 2])
    data += "é".encode()
    return data[1:] * 2


def test_text_methods() -> list[str]:
    s = "  Hello, World  "
    return [
        s.strip(),
        s.strip().lower(),
        s.replace("l", "L").strip(),
        ", ".join(["a", "b"]),
        "a,b,,c".split(",")[2],
        "x".rjust(3) + "|",
        "ab" * 2,
        3 * "z",
        str(s.find("World")),
        "%".center(5, "-"),
    ]


def test_list_of_floats() -> list[float]:
    xs: list[float] = [1, 2.5, True]
    xs.append(3)
    return xs + [4]


def test_empty() -> list[list[int]]:
    rows: list[list[int]] = []
    rows.append([])
    rows.append([1])
    return rows


def test_del() -> list[int]:
    xs = [1, 2, 3, 4]
    del xs[1]
    del xs[-1]
    return xs


def test_list_index_augmented_once() -> list[int]:
    calls: list[int] = []
    xs = [1, 2, 3]
    xs[pick(calls)] += 10
    return xs + calls


def pick(calls: list[int]) -> int:
    calls.append(1)
    return len(calls)


def test_slice_assignment() -> list[int]:
    xs = [0, 1, 2, 3, 4, 5]
    xs[1:3] = [10, 20, 30]
    xs[::3] = [-1, -2, -3]
    del xs[-2:]
    xs *= 2
    return xs


def test_dict_merge() -> dict[str, int]:
    d = {"a": 1}
    e = d | {"b": 2}
    d |= {"c": 3}
    del e["a"]
    e.update(d)
    return e


def test_lists_of_iterables() -> list[str]:
    d = {"b": 1, "a": 2}
    return sorted(d) + sorted("hello") + list("xy") + [str(max((3, 1, 2))), str(sum((1.5, 2)))] + ["-".join("abc")]


def test_enumerate_of_dict() -> list[str]:
    return [f"{i}{k}" for i, k in enumerate({"x": 1, "y": 2})]
