LIMIT = 10
RATE = 2.5
MASK = (1 << 4) - 1
NAMES = ("a", 2, 3.5)


def test_floor_division_and_modulo() -> list[int]:
    out: list[int] = []
    for a in [7, -7]:
        for b in [2, -2, 3, -3]:
            out.append(a // b)
            out.append(a % b)
    return out


def test_true_division() -> list[float]:
    return [7 / 2, -7 / 2, 1 / 3, 10 / 5]


def test_mixed_arithmetic() -> list[float]:
    x: float = 3
    return [x + 1, 2 * x, x / 2, 7 // x, 7.5 % 2, 2**0.5, x**2, 1 + 2.5]


def test_float_floor_division() -> list[float]:
    return [7.5 // 2, -7.5 // 2, 7.5 // -2, 7.5 % -2, -7.5 % 2]


def test_power() -> list[int]:
    return [2**10, (-3) ** 3, 0**0, 7**1, -(2**2)]


def test_bits() -> list[int]:
    return [6 & 3, 6 | 3, 6 ^ 3, ~6, 1 << 5, -64 >> 3, MASK]


def test_bool_counts_as_int() -> list[int]:
    yes = True
    return [yes + yes, yes * 3, -yes, ~yes, yes << 2]


def test_bool_bits_stay_bool() -> list[bool]:
    a, b = True, False
    return [a & b, a | b, a ^ b, a & True]


def test_bool_as_float() -> float:
    yes = True
    return yes + 0.5


def test_comparisons() -> list[bool]:
    a, b, c = 1, 2, 2.0
    return [a < b, a <= b, a > b, a >= b, a == b, a != b, b == c, a < c, True == 1, True < 2]


def test_chained_comparison() -> list[bool]:
    x = 5
    return [1 < x < 10, 1 < x < 5, 10 > x >= 5 > 0, 1 < 2 < 3 < 4 < 4]


def test_chain_evaluates_once() -> int:
    calls: list[int] = []
    ok = 0 < note(calls, 5) < 10
    assert ok
    ok = 10 < note(calls, 5) < note(calls, 7)
    assert not ok
    return len(calls)


def note(calls: list[int], value: int) -> int:
    calls.append(value)
    return value


def test_evaluation_order() -> list[int]:
    calls: list[int] = []
    x = note(calls, 1) + note(calls, 2) * note(calls, 3)
    xs = [0, 0, 0]
    xs[note(calls, 1)] = note(calls, 9)
    xs[note(calls, 2)] += note(calls, 8)
    d = {note(calls, 4): note(calls, 5)}
    calls.append(x)
    calls.append(xs[1])
    calls.append(len(d))
    return calls


def test_constants() -> str:
    return f"{LIMIT} {RATE} {MASK} {NAMES[0]} {NAMES[-1]}"


def test_division_by_zero() -> int:
    zero = 0
    return 1 // zero


def test_modulo_by_zero() -> int:
    zero = 0
    return 1 % zero


def test_float_division_by_zero() -> float:
    zero = 0.0
    return 1 / zero


def test_negative_shift() -> int:
    n = -1
    return 1 << n


def test_float_text() -> list[str]:
    return [str(1.0), str(0.1), str(1e22), str(1e16), str(1e-7), str(-0.0), str(123456789.123), str(2**53 / 3)]


def test_inf_and_nan() -> list[bool]:
    inf = float("inf")
    nan = float("nan")
    return [nan == nan, nan != nan, inf > 1e308, -inf < inf, nan < 1.0]


def test_conversions() -> list[int]:
    return [int(3.9), int(-3.9), int("42"), int(True), int(" -7 "), round(2.5), round(3.5), abs(-3)]


def test_min_max() -> list[float]:
    return [min(3, 1), max(2, 5), min(2.5, 1), max([1, 9, 3]), min(4, 2, 3), sum([1, 2, 3]), sum([0.5, 0.25])]


def test_negative_exponent_of_float() -> float:
    return 2.0**-2


def test_unary() -> list[int]:
    x = 5
    return [-x, +x, ~x, - -x, -9223372036854775808]


def test_logic_values() -> list[int]:
    zero, one = 0, 1
    return [zero or 5, one and 7, zero and 7, one or 5, zero or zero or 3]


def test_logic_text() -> str:
    empty = ""
    return empty or "default"


def test_short_circuit() -> list[int]:
    calls: list[int] = []
    if note(calls, 0) == 1 and note(calls, 1) == 1:
        calls.append(100)
    if note(calls, 2) == 2 or note(calls, 3) == 3:
        calls.append(200)
    if not (note(calls, 4) == 4):
        calls.append(300)
    return calls


def test_conditional_expression() -> list[str]:
    out: list[str] = []
    for i in range(4):
        out.append("even" if i % 2 == 0 else "odd")
    return out


def test_conditional_joins_int_and_float() -> float:
    yes = True
    x = 1.5 if yes else 2
    return x


def test_augmented() -> list[int]:
    x = 10
    x += 5
    x -= 3
    x *= 4
    x //= 5
    x %= 7
    x **= 3
    x <<= 2
    x >>= 1
    x |= 1
    x &= 0xFF
    x ^= 3
    return [x]


def test_augmented_float() -> float:
    x = 10.0
    x /= 4
    x += 1
    return x


def test_truthiness() -> list[bool]:
    out: list[bool] = []
    for i in [0, 1, -1]:
        out.append(bool(i))
    empty: list[int] = []
    words: dict[str, int] = {}
    out.append(bool(0.0))
    out.append(bool(""))
    out.append(bool("x"))
    out.append(bool(empty))
    out.append(bool([0]))
    out.append(bool(words))
    out.append(bool(b""))
    out.append(not empty)
    out.append(not words)
    return out


def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def test_recursion() -> int:
    return fib(15)


def even(n: int) -> bool:
    return True if n == 0 else odd(n - 1)


def odd(n: int) -> bool:
    return False if n == 0 else even(n - 1)


def test_mutual_recursion() -> list[bool]:
    return [even(10), odd(10), odd(7)]


def power(base: float, exponent: int = 2, *, negate: bool = False) -> float:
    result = base**exponent
    return -result if negate else result


def test_defaults_and_keywords() -> list[float]:
    return [power(3.0), power(3, 3), power(exponent=1, base=5), power(2, negate=True)]


def test_keyword_order() -> list[int]:
    calls: list[int] = []
    power(exponent=note(calls, 1), base=note(calls, 2))
    return calls


def nothing(x: int) -> None:
    if x > 0:
        return
    x = 1


def test_none() -> None:
    nothing(1)
    return nothing(0)


def test_assert() -> int:
    x = 1
    assert x == 1, "fine"
    assert x == 2, f"x is {x}"
    return x


def test_raise() -> int:
    raise ValueError("no " + str(3))


def test_raise_bare() -> int:
    raise RuntimeError


def test_is() -> list[bool]:
    a = True
    return [a is True, a is not True, a is False, None is None]


def test_big() -> int:
    return 9223372036854775807 - 1
