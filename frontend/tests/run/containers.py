from dataclasses import dataclass, field
T = "<%s>"

def test_set_basic() -> str:
    s: set[int] = set()
    s.add(3); s.add(1); s.add(3)
    t = {1, 2, 3}
    u = set([5, 1])
    return f"{sorted(s)} {len(s)} {3 in s} {4 in s} {sorted(s | t)} {sorted(s & t)} {sorted(t - s)} {sorted(t ^ u)} {s <= t} {s < t} {t >= s} {s == {1, 3}} {s != t} {bool(s)} {s.isdisjoint(u)}"

def test_set_methods() -> list[int]:
    s = {1, 2, 3, 4}
    s.discard(9)
    s.discard(1)
    s.remove(2)
    s.update([7, 8], (9, 10))
    s |= {11}
    s &= {3, 4, 7, 8, 9, 11}
    s -= {3}
    s ^= {4, 5}
    out = [x for x in sorted(s)]
    s.clear()
    out.append(len(s))
    for x in {1, 2}:
        out.append(x)
    out.append(sum({1, 2, 3}))
    out.append(max({1, 5, 3}))
    out.append(len(set("hello")))
    out.append(len({x % 3 for x in range(10)}))
    return out

def test_frozen() -> str:
    f = frozenset([1, 2, 2])
    d = {f: "a", frozenset({3}): "b"}
    return d[frozenset([2, 1])] + str(len(f)) + repr(frozenset({7})) + repr(f | {3} == {1, 2, 3}) + str(frozenset([1]) == {1})

def test_gen() -> list[int]:
    xs = [3, 1, 2]
    return [sum(x * x for x in xs), max(x for x in xs), min((x for x in xs), default=0), sum(1 for x in xs if x > 1),
            int(any(x > 2 for x in xs)), int(all(x > 2 for x in xs)), len(list(x for x in xs)), len(set(x % 2 for x in xs)),
            sum(range(5)), max(len(w) for w in ["a", "bb"]), sum(x > 1 for x in xs), max((x for x in xs if x > 9), default=-1), sum(map(int, "1 2 3".split()))]

def test_dictgen() -> dict[str, int]:
    ks = ["a", "b"]
    d = dict(zip(ks, [1, 2]))
    d.update(dict((k + k, 9) for k in ks))
    d.update({k: len(k) for k in ["xyz"]})
    e = {**d, "q": 5}
    e.update(z=3)
    return e

def test_tuples() -> str:
    xs: tuple[int, ...] = (1, 2, 3)
    ys = tuple(x + 1 for x in xs)
    zs = xs + ys
    e: tuple[str, ...] = ()
    t = (1, "a") + (2.5,)
    return f"{xs} {ys} {zs} {zs[1:]} {zs[-1]} {e} {len(e)} {t} {t[1:]} {3 in zs} {zs.index(3)} {zs.count(3)} {tuple([1])} {xs == (1, 2, 3)} {xs < ys} {xs * 2} {(0,) * 3}"

def test_star() -> str:
    a, *rest = [1, 2, 3]
    *init, last = "abc"
    x, *mid, y = (1, 2, 3, 4)
    p, q = [7, 8]
    m = [*rest, 10, *range(2)]
    n = {*rest, 5}
    tt = (*rest, 1)
    return f"{a} {rest} {init} {last} {x} {mid} {y} {p} {q} {m} {sorted(n)} {tt}"

def test_unpack_err() -> int:
    xs = [1, 2, 3]
    a, b = xs
    return a + b

def test_unpack_err2() -> int:
    xs = [1]
    a, b, *c = xs
    return a + b

def test_slices() -> str:
    xs = list(range(10))
    xs[2:5] = [20]
    xs[::3] = [0, 0, 0]
    del xs[1:3]
    ys = xs[::-1]
    s = "hello"
    return f"{xs} {ys} {s[::-1]} {s[1:-1]} {s[::2]} {b'abc'[::-1]!r} {xs[-2:]}"

def test_loops() -> list[str]:
    out: list[str] = []
    for i, (a, b) in enumerate(zip([1, 2], "xy"), start=1):
        out.append(f"{i}{a}{b}")
    for p, q, r in zip([1], [2], [3]):
        out.append(f"{p}{q}{r}")
    for k, v in {"a": 1}.items():
        out.append(f"{k}{v}")
    for ch in reversed("abc"):
        out.append(ch)
    for x in (1, 2):
        out.append(str(x))
    for i in range(10, 0, -3):
        out.append(str(i))
    for w in map(str.upper, ["a", "b"]):
        out.append(w)
    for n in filter(None, [0, 1, 2]):
        out.append(str(n))
    for x in (y * 2 for y in range(4) if y % 2):
        out.append(str(x))
    out.append(",".join(map(str, [1, 2])))
    out.append(str(list(map(add_one, [1, 2]))))
    out.append(str(sorted({"b": 1, "a": 2}, reverse=True)))
    out.append(str(5 in range(0, 10, 5)) + str(4 in range(0, 10, 5)) + str(7 not in range(3)))
    return out

def add_one(x: int) -> int:
    return x + 1

def test_text() -> list[str]:
    name = "Bob"; n = 42; f = 3.14159
    w = 8; p = 2
    return ["%s is %d years, %5.2f|%-6s|%06d|%x|%r|%%" % (name, n, f, name, n, 255, name), "%s" % n, "%5s|%-5s|%+d" % ("a", "b", 3),
      "{} {} {}".format(name, n, f), "{0} {1} {0}".format("a", "b"), "{name}:{v:>5}".format(name="x", v=3), "{:{}}|{:.{p}f}".format("a", 4, f, p=2),
      f"{f:{w}.{p}f}|{name!r}|{n=}|{n:>6}|{name:^9}|{n:,}|{f:e}|{n:b}|{n:#x}", "a" "b" 'c', r"\n", T % "k", T.replace("%s", "x"), "%(a)s-%(b)d" % {"a": "q", "b": 2},
      "%c%c" % (65, "B"), "%.3s|%8.3f|%g" % ("abcdef", f, 1e10), "{0[1]}{1.x}".format([1, 2], P(3)), f"{'é'!a}", "%i" % 3.7, "%e" % 12345.678]

@dataclass
class P:
    x: int

def test_builtins() -> list[str]:
    return [str(min(3, 1, 2)), str(max(1, 2, 3, 4, 5)), "7", str(max([1, 2], default=0)), str(sum([1, 2], 10)), str(sum([[1], [2]], [])), str(round(2.5)), str(round(2.675, 2)), str(divmod(7, -2)), str(pow(3, 4, 5)), bin(5), hex(255), oct(8), str(int("ff", 16)), str(ord("a")), chr(98), str(abs(-3)), str(sorted([3, 1], reverse=True)), str(any([0, 1])), "True", str(all([1, 0])), str(sum([True, False, True])), str(sum([0.5, 1]))]

def test_strs() -> list[str]:
    s = "Hello World"
    return [s.casefold(), "a\tb".expandtabs(4), "7".zfill(3), "True", s.translate(str.maketrans("lo", "01")), s.center(15, "*"), str(s.startswith(("He", "x"))), s.swapcase(), str("a,b,,c".split(",")), str("a b c".split(maxsplit=1)), str(s.partition(" ")), "x".join(["a", "b"]), str("abc".find("c")), str(bytes.fromhex("00ff")), b"ab".hex(), b"abc".decode(), str("é".encode()), str((258).to_bytes(2, "big")), str(int.from_bytes(b"\x01\x02", "big")), str.upper("q")]

def test_dicts() -> str:
    d: dict[str, list[int]] = {}
    d.setdefault("a", []).append(1)
    d.setdefault("a", []).append(2)
    e = {"x": 1, "y": 2}
    v = e.pop("x", 0)
    w = e.pop("nope", -1)
    k = e.popitem()
    f = dict.fromkeys(["p", "q"], 0)
    f["p"] += 5
    del f["q"]
    g = dict(a=1, b=2)
    return f"{d} {v} {w} {k} {e} {f} {g} {list(g.keys())} {sum(g.values())} {sorted(g.items())} {len(g.items())} {'a' in g.keys()} {1 in g.values()} {g | {'c': 3}} {list(reversed(list(g)))}"

def test_lists() -> str:
    xs = [3, 1, 2]
    xs.insert(0, 9)
    xs.extend(range(2))
    xs += (7, 8)
    xs.remove(1)
    xs.reverse()
    ys = xs.copy()
    ys.sort(reverse=True)
    a, b = 1, 2
    a, b = b, a
    return f"{xs} {ys} {xs.index(2)} {xs.count(9)} {xs.pop()} {xs.pop(0)} {a}{b} {[*xs, *ys]} {[[i * j for j in range(2)] for i in range(2)]} {[x for row in [[1], [2, 3]] for x in row if x > 1]}"

def test_cmp() -> str:
    i = 2 ** 53 + 1
    f = float(2 ** 53)
    g = 9007199254740993
    nan = float("nan")
    return f"{i == f} {i > f} {f < i} {f != i} {i >= f} {i <= f} {g == 9007199254740992.0} {1 == 1.0} {i < nan} {nan >= i} {i != nan} {f >= i} {f <= i} {f > i}"

def test_zip_strict() -> int:
    n = 0
    for a, b in zip([1, 2], [3], strict=True):
        n += a + b
    return n

def test_set_change() -> int:
    s = {1, 2}
    for x in s:
        s.add(x + 10)
    return 0

def test_set_missing() -> int:
    s = {"a"}
    s.remove("it")
    return 0
def test_print() -> None:
    xs = [1, 2]
    print(*xs)
    print("a", *xs, sep="-")
