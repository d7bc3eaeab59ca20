import operator
from functools import reduce
from operator import attrgetter, itemgetter
from dataclasses import dataclass


def power(base: int, exponent: int = 2, *, negate: bool = False) -> int:
    """Raises a number to a power."""
    value = base**exponent
    return -value if negate else value


def placed(a: int, b: int, /, c: int = 0) -> int:
    return a * 100 + b * 10 + c


def test_defaults() -> list[int]:
    return [power(3), power(2, 5), power(exponent=3, base=2), power(2, negate=True), placed(1, 2), placed(1, 2, c=3)]


def even(n: int) -> bool:
    return True if n == 0 else odd(n - 1)


def odd(n: int) -> bool:
    return False if n == 0 else even(n - 1)


def test_recursion() -> list[bool]:
    return [even(10), odd(7), even(3)]


def test_sorted_by_lambda() -> list[str]:
    words = ["pear", "fig", "banana", "kiwi"]
    return sorted(words, key=lambda w: len(w)) + sorted(words, key=lambda w: (-len(w), w)) + sorted(words, key=len)


def test_sorted_reverse_is_stable() -> list[str]:
    words = ["bb", "a", "cc", "d", "ee"]
    return sorted(words, key=len, reverse=True) + sorted(words, key=lambda w: w[0], reverse=True)


def by_last(word: str) -> str:
    return word[-1]


def test_sorted_by_function() -> list[str]:
    words = ["abz", "aby", "abx"]
    words.sort(key=by_last)
    more = ["B", "a", "C"]
    more.sort(key=str.lower, reverse=True)
    return words + more + sorted(more, key=str.lower)


def test_sort_pairs() -> list[tuple[str, int]]:
    pairs = [("a", 3), ("b", 1), ("c", 2)]
    pairs.sort(key=lambda p: p[1])
    return pairs + sorted(pairs, key=itemgetter(0), reverse=True) + sorted(pairs, key=operator.itemgetter(1, 0))


def test_sort_dict_items() -> list[str]:
    counts = {"x": 2, "y": 5, "z": 5}
    best = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))
    return [k for k, _ in best] + sorted(counts, key=lambda k: counts[k]) + sorted(counts.keys(), key=counts.get, reverse=True)


@dataclass
class Item:
    name: str
    price: float


def test_attrgetter() -> list[str]:
    items = [Item("b", 2.5), Item("a", 3.5), Item("c", 1.0)]
    return [i.name for i in sorted(items, key=attrgetter("price"))] + [i.name for i in sorted(items, key=lambda i: i.name)]


def test_min_max_by() -> list[str]:
    words = ["pear", "fig", "banana", "kiwi"]
    none: list[str] = []
    counts = {"x": 2, "y": 5}
    return [
        min(words, key=len),
        max(words, key=len),
        max("aa", "b", key=len),
        min(none, key=len, default="none"),
        max(counts, key=counts.get),
        max(counts, key=lambda k: -counts[k]),
        min((w for w in words if w != "fig"), key=lambda w: w[1]),
    ]


def test_min_of_nothing() -> str:
    none: list[str] = []
    return min(none, key=len)


def test_map_filter() -> list[int]:
    words = ["1", "22", "333"]
    out = list(map(int, words)) + list(map(lambda w: len(w) * 2, words))
    out += list(filter(lambda n: n % 2 == 1, out))
    for n in map(lambda a: a + 1, [1, 2]):
        out.append(n)
    out.append(sum(map(len, words)))
    out += [n for n in filter(None, [0, 1, 2])]
    out += list(map(lambda a, b: a * b, [1, 2], [3, 4]))
    out += sorted(map(lambda n: -n, [1, 2, 3]))
    return out


def test_join_map() -> str:
    return ",".join(map(str, [1, 2, 3])) + "|" + " ".join(map(lambda s: s.upper(), ["a", "b"]))


def test_named_lambda() -> list[int]:
    factor = 3
    scale = lambda x: x * factor  # noqa: E731
    add = lambda a, b: scale(a) + b  # noqa: E731
    first = scale(2)
    factor = 10
    return [first, scale(2), add(1, 2), add(b=1, a=2), (lambda v: v + 1)(4)]


def test_reduce() -> list[int]:
    return [reduce(lambda a, b: a * b, [1, 2, 3, 4]), reduce(lambda a, b: a + b, range(5), 10), reduce(placed, [1, 2, 3])]


def test_reduce_empty() -> int:
    none: list[int] = []
    return reduce(lambda a, b: a + b, none, 7)


def test_nested_function() -> list[int]:
    base = 10
    seen: list[int] = []

    def add(n: int, times: int = 1) -> int:
        seen.append(n)
        return base + n * times

    def twice(n: int) -> int:
        return add(add(n), times=2)

    first = twice(1)
    base = 100
    return [first, add(2)] + seen


def test_nested_recursion() -> int:
    limit = 5

    def count(n: int) -> int:
        if n >= limit:
            return n
        return count(n + 1)

    def outer(n: int) -> int:
        def inner(k: int) -> int:
            return k * n + limit

        return inner(3) + inner(4)

    return count(0) * 100 + outer(2)


def test_nested_as_key() -> list[int]:
    center = 4

    def distance(n: int) -> int:
        return abs(n - center)

    return sorted([1, 3, 5, 9], key=distance) + sorted([1, 3, 5, 9], key=lambda n: distance(n) * -1)


def test_walrus() -> list[int]:
    out: list[int] = []
    items = [3, 1, 2]
    if (n := len(items)) > 2:
        out.append(n)
    while (item := items.pop()) != 3:
        out.append(item)
    out.append(item)
    if len(out) > 2 and (last := out[-1]) == 3:
        out.append(last * 10)
    values = [half for v in [4, 6, 7] if (half := v // 2) > 2]
    out += values
    out.append((y := 5) + y)
    if (low := out[0]) < 4 < 9:
        out.append(low)
    if not (z := out[0]):
        return out
    return out + [z]


def test_delete() -> list[int]:
    a = 1
    b = [1, 2, 3]
    c = a
    del a
    del b[0], b[0]
    a = 5
    return b + [a, c]


def fail(kind: int) -> int:
    if kind == 0:
        raise ValueError("zero")
    if kind == 1:
        raise KeyError
    if kind == 2:
        raise RuntimeError()
    if kind == 3:
        raise LimitError("too much")
    raise LimitError("a", 1)


class LimitError(Exception):
    pass


def test_raise_0() -> int:
    return fail(0)


def test_raise_2() -> int:
    return fail(2)


def test_raise_3() -> int:
    return fail(3)


def test_raise_4() -> int:
    return fail(4)


def test_assert() -> int:
    n = 3
    assert n > 2, "fine"
    assert n < 2, f"n is {n}"
    return n


def test_conditions() -> list[str]:
    out: list[str] = []
    for n in range(-1, 4):
        sign = "neg" if n < 0 else "zero" if n == 0 else "one" if n == 1 else "many"
        out.append(sign)
        if not n:
            continue
        elif n == 2 or (n > 2 and not n == 5):
            out.append("big")
        else:
            pass
    else:
        out.append("else")
    a = b = 2
    a += b
    b *= a
    out.append(str(0 < a < b <= 8 != a))
    return out


def test_while_else() -> list[int]:
    n = 0
    out: list[int] = []
    while n < 3:
        n += 1
        if n == 5:
            break
    else:
        out.append(n)
    while True:
        n -= 1
        if n == 0:
            break
    else:
        out.append(-1)
    return out + [n]


def test_evaluated_once() -> list[int]:
    calls: list[int] = []

    def at() -> int:
        calls.append(1)
        return 0

    values = [1, 2]
    values[at()] += 5
    table = {"k": [1, 2]}
    table["k"][at()] *= 3
    return values + table["k"] + calls


def test_print() -> None:
    print("a", 1, 2.5, True, None, ["x"], ("y",), {"k": 1})
    print()
    print("a", "b", sep="-")
