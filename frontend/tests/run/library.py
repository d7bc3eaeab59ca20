import math
from math import floor, pi, sqrt


def test_math() -> list[float]:
    return [math.sqrt(2), sqrt(16.0), pi, math.e, math.floor(2.7), floor(-2.5), math.ceil(2.1), math.log(8, 2), math.pow(2, 3)]


def test_math_of_int() -> list[int]:
    return [math.gcd(12, 18), math.isqrt(17), math.floor(3)]


def test_math_error() -> float:
    return math.sqrt(-1)


def test_numbers() -> list[str]:
    return [hex(255), oct(8), bin(5), chr(97), str(ord("é")), str(divmod(7, -2)), str(pow(2, 10, 7)), repr("it's")]


def test_round() -> list[float]:
    return [round(2.675, 2), round(1234.5, -2), round(7, -1)]


def test_int_errors() -> int:
    return int("x1")


def test_text() -> list[str]:
    s = "one two  three"
    return s.split() + s.split(" ") + "a-b-c".split("-", 1) + [s.title(), s.zfill(16), s.partition(" ")[2]]


def test_text_tests() -> list[bool]:
    return ["ab".isalpha(), "1".isdigit(), " ".isspace(), "Ab".startswith("A"), "Ab".endswith("x"), "A".isupper()]


def test_text_numbers() -> list[int]:
    s = "banana"
    return [s.find("an"), s.rfind("an"), s.index("n"), s.count("a"), len(s), s.find("x")]


def test_bytes() -> list[int]:
    data = "añ".encode("utf-8")
    return [len(data), data[0], data[-1], data.find(b"\xc3")] + list(data)


def test_decode() -> str:
    return b"a\xc3\xb1".decode() + b"ab".hex()


def test_dict_methods() -> list[str]:
    d = {"a": 1, "b": 2}
    out: list[str] = []
    out.append(str(d.pop("a")))
    out.append(str(d.get("zz", 5)))
    out.append(str(d.setdefault("c", 9)))
    out += list(d.keys())
    out += [str(v) for v in d.values()]
    key, value = d.popitem()
    out.append(key + str(value))
    d.clear()
    out.append(str(len(d)))
    return out


def test_list_methods() -> list[int]:
    xs = [5, 3, 8]
    ys = xs.copy()
    xs.sort()
    ys.reverse()
    zs = list(xs)
    zs.clear()
    return xs + ys + [len(zs), xs.index(8), min(xs), max(xs), sum(xs, 100)]


def test_pop_from_empty() -> int:
    xs: list[int] = []
    return xs.pop()


def test_range_list() -> list[int]:
    return list(range(3)) + list(range(2, 8, 3))


def test_zip_and_enumerate_as_lists() -> list[tuple[int, str]]:
    return list(zip([1, 2], ["a", "b"])) + list(enumerate(["x"], 7))


def test_sorted_tuples() -> list[tuple[int, str]]:
    pairs = [(2, "b"), (1, "z"), (2, "a")]
    return sorted(pairs)


def test_dict_from_pairs() -> dict[str, int]:
    return dict([("a", 1), ("b", 2)])
