"""Small functions as people write them: text, numbers, tables."""

import math
from dataclasses import dataclass, field

VOWELS = {"a", "e", "i", "o", "u"}
STOP = frozenset(["the", "a"])
TEMPLATE = "{name}: {value:>6.2f}"


@dataclass
class Node:
    name: str
    tags: set[str] = field(default_factory=set)
    links: tuple[str, ...] = ()


def is_palindrome(s: str) -> bool:
    cleaned = "".join(c.lower() for c in s if c.isalnum())
    return cleaned == cleaned[::-1]


def count_vowels(s: str) -> int:
    return sum(1 for c in s.lower() if c in VOWELS)


def primes(n: int) -> list[int]:
    sieve = [True] * (n + 1)
    sieve[0:2] = [False, False]
    for i in range(2, int(n ** 0.5) + 1):
        if sieve[i]:
            sieve[i * i::i] = [False] * len(sieve[i * i::i])
    return [i for i, p in enumerate(sieve) if p]


def word_count(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for w in text.lower().split():
        w = w.strip(".,!?")
        if w and w not in STOP:
            counts[w] = counts.get(w, 0) + 1
    return dict(sorted(counts.items()))


def transpose(m: list[list[int]]) -> list[list[int]]:
    return [[row[i] for row in m] for i in range(len(m[0]))]


def matmul(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    return [[sum(x * y for x, y in zip(row, col)) for col in transpose_f(b)] for row in a]


def transpose_f(m: list[list[float]]) -> list[list[float]]:
    return [list(col) for col in (tuple(row[i] for row in m) for i in range(len(m[0])))]


def rle(s: str) -> list[tuple[str, int]]:
    out: list[tuple[str, int]] = []
    for c in s:
        if out and out[-1][0] == c:
            out[-1] = (c, out[-1][1] + 1)
        else:
            out.append((c, 1))
    return out


def bfs(graph: dict[str, list[str]], start: str) -> list[str]:
    seen = {start}
    queue = [start]
    order: list[str] = []
    while queue:
        node = queue.pop(0)
        order.append(node)
        for other in graph.get(node, []):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return order


def chunks(xs: list[int], n: int) -> list[list[int]]:
    return [xs[i:i + n] for i in range(0, len(xs), n)]


def flatten(xss: list[list[int]]) -> list[int]:
    return sum(xss, [])


def parse(line: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in line.split(";") if "=" in part)


def parse_ints(line: str) -> dict[str, int]:
    return {k: int(v) for k, v in (p.split("=") for p in line.split(";") if "=" in p)}


def median(xs: list[float]) -> float:
    ys = sorted(xs)
    n = len(ys)
    return ys[n // 2] if n % 2 else (ys[n // 2 - 1] + ys[n // 2]) / 2


def stats(xs: list[float]) -> tuple[float, float, float]:
    mean = sum(xs) / len(xs)
    return min(xs), max(xs), math.sqrt(sum((x - mean) ** 2 for x in xs) / len(xs))


def caesar(s: str, k: int) -> str:
    return "".join(chr((ord(c) - ord("a") + k) % 26 + ord("a")) if c.islower() else c for c in s)


def anagrams(words: list[str]) -> list[list[str]]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for w in words:
        groups.setdefault(tuple(sorted(w)), []).append(w)
    return [g for g in groups.values() if len(g) > 1]


def two_sum(xs: list[int], target: int) -> tuple[int, int]:
    seen: dict[int, int] = {}
    for i, x in enumerate(xs):
        if target - x in seen:
            return seen[target - x], i
        seen[x] = i
    return -1, -1


def merge(a: list[int], b: list[int]) -> list[int]:
    out: list[int] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    return out + a[i:] + b[j:]


def csv(rows: list[tuple[str, int, float]]) -> str:
    lines = [",".join(["name", "n", "x"])]
    lines += ["%s,%d,%.1f" % row for row in rows]
    return "\n".join(lines)


def test_text() -> list[str]:
    return [str(is_palindrome("A man, a plan, a canal: Panama")), str(count_vowels("Hello World")), caesar("hello, z", 3),
            csv([("a", 1, 0.5), ("b", 2, 1.0)]), TEMPLATE.format(name="x", value=3.14159), str(rle("aabccc")), str(parse("a=1;b=2=3;c")), str(parse_ints("a=1;b=2"))]


def test_lists() -> list[str]:
    return [str(primes(30)), str(transpose([[1, 2], [3, 4]])), str(matmul([[1.0, 2.0]], [[3.0], [4.0]])), str(chunks([1, 2, 3, 4, 5], 2)),
            str(flatten([[1], [2, 3]])), str(median([3.0, 1.0, 2.0])), str(median([4.0, 1.0])), str(stats([1.0, 2.0, 4.0])), str(merge([1, 4], [2, 3, 9]))]


def test_tables() -> list[str]:
    graph = {"a": ["b", "c"], "b": ["d"], "c": ["d", "a"]}
    return [str(word_count("The cat. The dog, a cat!")), str(bfs(graph, "a")), str(anagrams(["tea", "eat", "x", "ate"])), str(two_sum([2, 7, 11], 9))]


def test_objects() -> str:
    a = Node("a")
    b = Node("b", {"x"}, ("a", "c"))
    a.tags |= b.tags | {"y"}
    a.links += ("q",)
    everything = a.tags.union(b.tags)
    return f"{sorted(a.tags)} {b.links[0]} {a.links} {len(everything)} {a == Node('a', {'y', 'x'}, ('q',))} {Node('z')}"


def test_sets_of_words() -> list[str]:
    texts = ["red green", "green blue", "blue green"]
    words = [set(t.split()) for t in texts]
    common = words[0]
    for w in words[1:]:
        common &= w
    every: set[str] = set()
    for w in words:
        every.update(w)
    unique = {w for w in every if sum(w in s for s in words) == 1}
    order = {w: i for i, w in enumerate(sorted(every))}
    return [str(sorted(common)), str(sorted(every)), str(sorted(unique)), str(order), str(max(every)), str(min(len(w) for w in every))]


def test_numbers() -> list[str]:
    digits = [int(d) for d in str(9875)]
    total = 0
    while total != sum(digits):
        total = sum(digits)
    collatz = [6]
    while collatz[-1] != 1:
        n = collatz[-1]
        collatz.append(n // 2 if n % 2 == 0 else 3 * n + 1)
    fib: list[int] = [0, 1]
    while len(fib) < 10:
        fib.append(fib[-1] + fib[-2])
    return [str(total), str(collatz), str(fib), f"{sum(x ** 2 for x in range(4)):>5}|{1 / 3:.3f}|{10 ** 6:,}", str(all(n % d for d in range(2, 7) for n in [7])), str(bin(10)[2:].zfill(8)), str([*map(int, "123")]), str(sum(map(lambda x: x * 2, [1, 2])))]


def test_used_up() -> str:
    a, b = map(int, "3 4".split())
    x, *y = (n * n for n in range(4))
    xs = [0]
    xs += map(len, ["a", "bb"])
    xs.extend(n for n in range(2))
    print(*map(str, xs), sep="+")
    return f"{a} {b} {x} {y} {xs}"


def test_first_match() -> str:
    rows = [("a", 1), ("b", 2)]
    lookup = {k: v for k, v in rows}
    inverse = {v: k for k, v in lookup.items()}
    best, *others = sorted(rows, key=lambda r: r[1], reverse=True)
    names, numbers = [r[0] for r in rows], [r[1] for r in rows]
    (k, v), = [("only", 1)]
    return f"{lookup} {inverse} {best} {others} {names} {numbers} {k}{v} {' '.join(f'{a}{b}' for a, b in rows)} {any(a == 'b' for a, _ in rows)}"
