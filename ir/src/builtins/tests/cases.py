"""Writes cases.txt: calls of builtins with what CPython gives for them. python3 cases.py > cases.txt (made with 3.11)

A line is `name(arguments) = result`, with ` | first argument afterwards` where the builtin may change it, or
`name(arguments) ! kind: message`. None in a slice stands for an absent part.
"""

import base64
import json
import math
import operator
import random

ABSENT = -(2**63)
chance = random.Random(7)
KINDS = {
    IndexError: "index",
    KeyError: "key",
    OverflowError: "overflow",
    ZeroDivisionError: "division",
}


def none(f):
    """Absent parts of a slice as None."""
    return lambda x, *parts: f(x, *[None if p == ABSENT else p for p in parts])


def changed(f):
    f.changes = True
    return f


def fits(value):
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, (tuple, list)):
        return all(map(fits, value))
    return True


def copy(value):
    return value.copy() if isinstance(value, (list, dict)) else value


def run(name, f, *args):
    shown = ", ".join(map(repr, args))
    args = [copy(a) for a in args]
    try:
        result = f(*args)
    except Exception as e:
        kind = next((k for t, k in KINDS.items() if isinstance(e, t)), "value")
        message = str(e.args[0] if "popitem" in str(e) else e).replace("\n", " ")
        print(f"{name}({shown}) ! {kind}: {message}")
        return
    if not fits(result):
        print(f"{name}({shown}) ! overflow: ")
        return
    after = f" | {args[0]!r}" if getattr(f, "changes", False) else ""
    print(f"{name}({shown}) = {result!r}{after}")


def each(name, f, *cases):
    for case in cases:
        run(name, f, *(case if isinstance(case, tuple) else (case,)))


def statement(text):
    def f(x, *rest):
        exec(text, {"x": x, "a": rest, "s": slice(*(None if r == ABSENT else r for r in rest[:3]))})

    return changed(f)


def word(alphabet, most):
    return "".join(chance.choice(alphabet) for _ in range(chance.randrange(most + 1)))


INTS = [0, 1, -1, 7, -13, 255, 1024, 10**6, 123456789, -(10**12), 2**63 - 1, -(2**63), -(2**63) + 1]
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 0.5, 1.5, 2.5, 2.675, 3.14159, 1e15, 1e16, 1.5e16, 123456.789, 1e-4, 1e-5, 1.25e-7, 1e22, 1e100,
          -1e300, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 0.1 + 0.2, 100.0, 1234567.0, 9.995, 1e21]
TEXTS = ["", "a", "Hello, World", "  both ends\t\n", "straße", "ΑΣ ΟΔΟΣ", "ǆungla ﬁn", "日本語テキスト", "a\u0301é", "😀 ok 😀", "it's", 'say "hi"', "it's \"x\"",
         "tab\there\\", "\x00\x1f\x7f\x80\xa0\xad", "\u200b\u2028\ue000\U0001f600\U000e0001", "MiXeD cAsE", "123", "٣٤", "½²", "ⅷ", "they're bill's friends", "x1y", "İstanbul", "ÿ"]

# Any value.
each("str_of_int", str, *INTS)
each("str_of", str, *INTS, *FLOATS, *TEXTS, True, False, None, [1, 2], ["a", "b'c"], {"k": [1.0]}, ((1, "a"),), b"x\x00'")
each("repr", repr, *FLOATS, *TEXTS, [], [[1], [2, 3]], {1: "a", 2: "b"}, {"a": {"b": 1.0}}, ((1,),), ((1, 2.5, "x"),), b"", b"it's", b"\"'\n\t\r\\\xff~ ", [None], [True, False], [(1, "a")])
for _ in range(200):
    run("repr", repr, chance.uniform(-1, 1) * 10 ** chance.randrange(-20, 25))
each("truth", bool, 0, 1, -5, 0.0, -0.0, float("nan"), "", "x", b"", b"\0", [], [0], {}, {1: 2}, None, True, False, ((0,),))

# Numbers.
each("abs_int", abs, *INTS)
each("abs_float", abs, *FLOATS)
each("int_of_float", int, *FLOATS, 9.2e18, -9.3e18, 9.223372036854775e18, -9223372036854775808.0, 2.9, -2.9)
each("int_of_bool", int, True, False)
each("int_of_int", int, 5)
SPELLED = ["0", " 12 ", "-7", "+7", "1_000", "1__0", "_1", "1_", "", " ", "-", "abc", "1.5", "0x1f", "٣٤", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
           "99999999999999999999999", "- 1", "12a", "\u00a05\u2003", "007", "²"]
each("int_of_str", int, *SPELLED)
for text, base in [("ff", 16), ("0xff", 16), ("0xFF", 0), ("0b101", 0), ("0o17", 0), ("017", 0), ("00", 0), ("0", 0), ("z", 36), ("2", 2), ("12", 1), ("12", 37), ("0b1", 16), ("0x_f", 16),
                   ("0x", 16), ("-0x10", 16), ("1_0", 2), ("", 0), ("0_0", 0), ("9", 0), ("12", -2), ("+0b11", 2), ("é", 16)]:
    run("int_of_str_base", int, text, base)
each("float_of_int", float, *INTS)
each("float_of_bool", float, True, False)
each("float_of_float", float, 1.5)
each("float_of_str", float, "0", "1.5", " -2.5e3 ", "1e400", "-1e400", "inf", "-Infinity", "NaN", "+nan", "1_000.5", "1__0", "1_.5", "._5", ".5", "5.", ".", "", "e5", "1e", "1e+5", "٣.٤", "0x10",
     "infinit", "1 2", "1e-400", "in f", "1_e5", "1e1_0", "abc")
for a, b in [(1, 2), (2, 1), (3, 3)]:
    run("min_int", min, a, b), run("max_int", max, a, b)
for a, b in [(1.5, 2.5), (2.0, 1.0), (0.0, -0.0), (-0.0, 0.0), (float("nan"), 1.0), (1.0, float("nan")), ("a", "b"), ("b", "ab"), ([1, 2], [1, 3]), ((1, "a"), (1, "b")), (b"a", b"b"), (True, False)]:
    run("min", min, a, b), run("max", max, a, b)
for v in [(3, 1, 2), (1, 3, 2), ("c", "a", "b"), (2.0, 2.0, 1.0)]:
    run("min_of_three", min, *v), run("max_of_three", max, *v)
for v in [[3, 1, 2], [], ["b", "a"], [1.5, float("nan"), 0.5], [[2], [1, 5]]]:
    run("min_list", min, v), run("max_list", max, v)
each("sum_ints", sum, [], [1, 2, 3], [2**62, 2**62], [2**62, 2**62, -(2**62)], [2**63 - 1, 1, -1])
run("sum_ints_from", sum, [1, 2], 10)
each("sum_floats", sum, [0.1] * 10, [1e16, 1.0, -1e16], [float("inf"), float("-inf")])
run("sum_floats_from", sum, [0.5, 0.25], 1.0)
each("round_float", round, *FLOATS, 0.5, 1.5, -0.5, -2.5, 4.5)
for v in FLOATS + [1234.5678, 0.5, 25.0, 35.0, 15.5, 1150.0, 1.7e308, 12350.0, 5.0]:
    for n in [0, 1, 2, 5, 17, -1, -2, -3, -308, 323, 400, -400]:
        run("round_float_digits", round, v, n)
run("round_int", round, 5)
for v in INTS + [15, 25, 35, 14, 16, -15, -25, 150, 250]:
    for n in [0, 3, -1, -2, -18, -19, -20]:
        run("round_int_digits", round, v, n)
for a, b in [(7, 2), (-7, 2), (7, -2), (-7, -2), (0, 5), (1, 0), (-(2**63), -1), (2**63 - 1, 10)]:
    run("divmod_int", divmod, a, b)
for a, b in [(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (-7.5, -2.0), (1.0, 0.0), (0.0, -1.0), (float("inf"), 2.0), (5.0, float("inf")), (-5.0, float("inf"))]:
    run("divmod_float", divmod, a, b)
for a, b in [(2, 10), (2, 63), (-2, 63), (3, 39), (3, 40), (0, 0), (10, 18), (-1, 10**9)]:
    run("pow_int", pow, a, b)
for a, b in [(2.0, 0.5), (2.0, -1.0), (10.0, 308.0), (0.0, 0.0), (-8.0, 3.0), (10.0, 400.0), (0.0, -1.0)]:
    run("pow_float", pow, a, b)
for v in [(2, 10, 1000), (3, -1, 7), (2, -1, 4), (5, 0, 1), (5, 3, -7), (-5, 3, 7), (2**62, 2**62, 2**63 - 1), (7, 5, 0), (4, 2, -(2**63)), (0, 0, 5), (6, -3, 35), (3, 2, -9)]:
    run("pow_mod", pow, *v)
each("ord", ord, "a", "é", "😀", "", "ab")
each("chr", chr, 97, 0x1F600, 0, 0x10FFFF, 0x110000, -1)
for f in (hex, oct, bin):
    each(f.__name__, f, *INTS)
each("bit_length", int.bit_length, *INTS)
each("bit_count", int.bit_count, *INTS)
each("is_integer", float.is_integer, *FLOATS)
for name in ("eq", "lt", "le", "gt", "ge"):
    for a, b in [
        (1, 1.0), (1, 1.5), (-1, -1.5), (0, -0.0), (2**53 + 1, 2.0**53), (2**53 + 1, 2.0**53 + 2), (2**53, 2.0**53),
        (2**63 - 1, 2.0**63), (-(2**63), -(2.0**63)), (-(2**63), -(2.0**63) * 1.5), (2**63 - 1, 9223372036854774784.0),
        (5, float("inf")), (5, float("-inf")), (5, float("nan")), (0, 5e-324), (0, -5e-324), (-3, -2.5),
    ]:
        run(f"{name}_int_float", getattr(operator, name), a, b)

# Mathematics.
for name in "sqrt floor ceil trunc fabs exp log log2 log10 sin cos tan asin acos atan sinh cosh tanh degrees radians isnan isinf isfinite".split():
    each(f"math_{name}", getattr(math, name), 0.0, 1.0, -1.0, 0.5, 2.0, 10.0, -2.5, 1e18, 1e300, 8.0, 1024.0, float("inf"), float("-inf"), float("nan"))
for a, b in [(8.0, 2.0), (100.0, 10.0), (2.0, 1.0), (0.0, 2.0), (-1.0, 2.0), (5.0, 0.0)]:
    run("math_log_base", math.log, a, b)
for a, b in [(1.0, 2.0), (0.0, -1.0), (-0.0, -1.0), (3.0, 4.0), (-5.5, 2.0), (5.5, 0.0), (float("inf"), 1.0), (1.0, float("inf")), (float("nan"), 1.0), (0.0, 0.0), (1e308, 1e308), (2.0, 0.5), (-2.0, 0.5),
             (0.0, -2.0), (10.0, 400.0), (-8.0, 3.0), (0.0, float("-inf"))]:
    run("math_atan2", math.atan2, a, b), run("math_copysign", math.copysign, a, b), run("math_fmod", math.fmod, a, b), run("math_pow", math.pow, a, b)
for a, b in [(3.0, 4.0), (0.0, 0.0), (float("inf"), float("nan"))]:
    run("math_hypot", math.hypot, a, b)
for a, b in [(12, 18), (0, 0), (-12, 18), (7, 0), (-(2**63), 0), (-(2**63), 6)]:
    run("math_gcd", math.gcd, a, b)
each("math_isqrt", math.isqrt, 0, 15, 16, 2**63 - 1, -1)

# Text.
each("str_len", len, *TEXTS)
for a, b in zip(TEXTS, reversed(TEXTS)):
    run("str_concat", lambda a, b: a + b, a, b)
    run("str_contains", lambda a, b: b in a, a, b)
for t in ["ab", "", "é"]:
    for n in [0, 1, 3, -1]:
        run("str_repeat", lambda a, n: a * n, t, n)
for t in ["abc", "日本語", ""]:
    for n in [0, 2, 3, -1, -3, -4, 2**63 - 1, -(2**63) + 1]:
        run("str_index", lambda a, n: a[n], t, n)
PARTS = [ABSENT, 0, 1, 2, 5, 9, -1, -3, -9, 2**63 - 1, -(2**63) + 1]
STEPS = [ABSENT, 1, 2, 3, -1, -2, 100, -100, 2**63 - 1, -(2**63) + 1, 0]
for _ in range(300):
    t = chance.choice(["abcdef", "日本語テキスト", "", "a😀b"])
    run("str_slice", none(lambda x, a, b, c: x[a:b:c]), t, chance.choice(PARTS), chance.choice(PARTS), chance.choice(STEPS))
for name in "upper lower title capitalize swapcase strip lstrip rstrip isdigit isdecimal isalpha isalnum isspace isupper islower istitle isascii".split():
    each(f"str_{name}", getattr(str, name), *TEXTS, "Title Case", "UPPER", "lower", "ABC1", "Ab Cd", "aB", "\x1c", "ΑΣ", "Σ", "aΣ", "aΣb", "ΑΣ.", "ᾳ", "ŉ", "Ǆ", "ǅ", "ა", "A\u0345Σ")
for name in "strip lstrip rstrip".split():
    each(f"str_{name}_chars", getattr(str, name), ("xxaxx", "x"), ("abcba", "ab"), ("", "a"), ("日本日", "日"), ("abc", ""), ("aaa", "a"))
for t, p in [("prefix-a", "prefix"), ("abc", "bc"), ("abc", ""), ("ab", "abc"), ("日本", "日"), ("", "")]:
    run("str_removeprefix", str.removeprefix, t, p), run("str_removesuffix", str.removesuffix, t, p), run("str_removesuffix", str.removesuffix, t + p, p)
SPACED = ["", " ", "a", " a b  c ", "a\tb\nc", "\u2003wide\u00a0gap\x1c", "one", "  lead", "trail  ", "a b c d e"]
for t in SPACED:
    run("str_split", str.split, t), run("str_rsplit", str.rsplit, t), run("str_split_none", str.split, t, None)
    for n in [-1, 0, 1, 2, 9]:
        run("str_split_max", str.split, t, None, n), run("str_rsplit_max", str.rsplit, t, None, n)
for t, s in [("a,b,,c", ","), (",a,", ","), ("", ","), ("abc", "abc"), ("aXXbXXXc", "XX"), ("日本語本", "本"), ("abc", ""), ("aaaa", "aa"), ("aaaaa", "aa")]:
    run("str_split_sep", str.split, t, s), run("str_rsplit_sep", str.rsplit, t, s), run("str_partition", str.partition, t, s), run("str_rpartition", str.rpartition, t, s)
    for n in [-1, 0, 1, 2, 9]:
        run("str_split_sep_max", str.split, t, s, n), run("str_rsplit_sep_max", str.rsplit, t, s, n)
for t in ["", "a", "a\n", "\n", "a\nb", "a\r\nb\rc\n\n", "x\x0by\x0cz\x1cu\x85v\u2028w", "a\r\n", "\r", "日\n本"]:
    run("str_splitlines", str.splitlines, t), run("str_splitlines_keep", str.splitlines, t, True), run("str_splitlines_keep", str.splitlines, t, False)
each("str_join", str.join, (", ", ["a", "b", "c"]), ("", ["x", "y"]), ("-", ["one"]), ("-", []), ("é", ["日", "本"]))
for t, a, b in [("aaa", "a", "b"), ("abc", "", "-"), ("", "", "x"), ("abc", "z", "y"), ("日本日", "日", "x"), ("aaaa", "aa", "b"), ("a-b", "-", "")]:
    run("str_replace", str.replace, t, a, b)
    for n in [-1, 0, 1, 2, 9]:
        run("str_replace_count", str.replace, t, a, b, n)
SEARCHED = [("abcabc", "bc"), ("abcabc", "z"), ("", ""), ("abc", ""), ("日本語本", "本"), ("aaa", "aa"), ("😀a😀", "a"), ("abc", "abcd")]
STARTS = [0, 1, 2, 3, 4, 9, -1, -2, -9, 2**63 - 1, -(2**63)]
for t, s in SEARCHED:
    for row, f in [("find", str.find), ("rfind", str.rfind), ("index_of", str.index), ("rindex_of", str.rindex), ("count", str.count), ("startswith", str.startswith), ("endswith", str.endswith), ("contains", str.__contains__)]:
        run(f"str_{row}", f, t, s)
    for n in STARTS:
        for row, f in [("find", str.find), ("rfind", str.rfind), ("index_of", str.index), ("count", str.count), ("startswith", str.startswith)]:
            run(f"str_{row}_from", f, t, s, n)
        m = chance.choice(STARTS)
        for row, f in [("find", str.find), ("rfind", str.rfind), ("count", str.count)]:
            run(f"str_{row}_in", f, t, s, n, m)
for t, n in [("42", 5), ("-42", 5), ("+42", 6), ("", 3), ("abc", 2), ("日", 3), ("--1", 5), ("a", -3)]:
    for row in "zfill ljust rjust center".split():
        run(f"str_{row}", getattr(str, row), t, n)
    for row in "ljust rjust center".split():
        run(f"str_{row}_fill", getattr(str, row), t, n, "é")
for w in range(8):
    run("str_center", str.center, "ab", w), run("str_center", str.center, "abc", w)
each("str_encode", str.encode, *TEXTS)
each("str_encode_as", str.encode, ("é", "utf-8"), ("é", "UTF8"), ("é", "latin-1"), ("é", "ascii"), ("ab", "ascii"), ("日", "latin-1"), ("x", "utf_8"))

# Templates: what CPython's own reader finds, with the index of each name.
def template_fields(template, names):
    import string

    template.format(*[name for name in names if name.isdigit()], **{name: name for name in names if not name.isdigit()})
    fields, before, automatic = [], "", 0
    for text, name, spec, conversion in string.Formatter().parse(template):
        before += text
        if name is not None:
            if name == "":
                name, automatic = str(automatic), automatic + 1
            fields += [before, str(names.index(name)), conversion or "", spec]
            before = ""
    return fields + [before, "", "", ""]


for t in ["", "a", "{}", "{} of {}", "{1}{0}", "{0!r:>5} {n}", "{n:>4}", "a{{b}}c{}", "{", "}", "a}", "{2}", "{m}", "{0}{}", "{}{0}", "{!x}", "{:>8}x", "{} {"]:
    run("template_fields", template_fields, t, ["0", "1", "n"])

# Formats.
for _ in range(500):
    spec = chance.choice(["", "", "*<", "*>", "é^", "<", ">", "^", "=", "0="]) + chance.choice(["", "", "+", "-", " "]) + chance.choice(["", "", "z"]) + chance.choice(["", "", "#"]) + chance.choice(["", "", "0"])
    spec += chance.choice(["", "", "1", "8", "15", "23"]) + chance.choice(["", "", ",", "_"])
    run("format_float", format, chance.choice(FLOATS + [-1234567.891, 0.00012345, 12345678.9, 99999.5, -0.0001]), spec + chance.choice(["", ".0", ".1", ".3", ".10", ".20"]) + chance.choice(["", "", "e", "E", "f", "F", "g", "G", "%", "n", "d"]))
    plain = spec.replace("z", "")
    run("format_int", format, chance.choice(INTS + [65, 1234567]), plain + chance.choice(["", ".2", "", ""]) + chance.choice(["", "d", "b", "o", "x", "X", "n", "e", "f", "g", "%", "s"]))
    run("format_str", format, chance.choice(["", "a", "hello", "日本語"]), plain.replace("#", chance.choice(["", "", "", "#"])).replace("+", "").replace("-", "").replace(",", "").replace("_", "") + chance.choice(["", ".0", ".2", ".9"]) + chance.choice(["", "s", "s", "d"]))
for v in [65, 0x1F600, -1, 0x110000]:
    for spec in ["c", "5c", "<5c", "^5c", "+c", "#c", "05c"]:
        run("format_int", format, v, spec)
for spec in ["", "d", "5", ">7", "x", "s", ".1f", "q", "05"]:
    run("format_bool", format, True, spec), run("format_bool", format, False, spec)
for spec in ["5.", "q", "10.2.3", ",,", ",_", "_,", "5x5", "<<<", "a b", "+s", " s", "99999999999999999999", ",s", "zs", "z", "=5"]:
    run("format_float", format, 1.5, spec), run("format_int", format, 15, spec), run("format_str", format, "a", spec)

# Bytes.
BYTES = [b"", b"a", b"abc", b"\x00\xff", b"hello world"]
each("bytes_len", len, *BYTES)
for a in BYTES:
    run("bytes_concat", lambda a, b: a + b, a, b"-x"), run("bytes_repeat", lambda a, n: a * n, a, 2), run("bytes_repeat", lambda a, n: a * n, a, -2)
    for n in [0, -1, 1, 2, 5, -5]:
        run("bytes_index", lambda a, n: a[n], a, n)
    for p in [b"", b"l", b"lo", b"c", b"\xff", b"hello world!"]:
        run("bytes_contains", lambda a, p: p in a, a, p)
        for row, f in [("find", bytes.find), ("rfind", bytes.rfind), ("index_of", bytes.index), ("count", bytes.count), ("startswith", bytes.startswith), ("endswith", bytes.endswith), ("split_sep", bytes.split)]:
            run(f"bytes_{row}", f, a, p)
        for n in [0, 3, -2, 99, -99]:
            run("bytes_find_from", bytes.find, a, p, n)
        run("bytes_replace", bytes.replace, a, p, b"__")
    run("bytes_hex", bytes.hex, a), run("list_of_bytes", list, a)
for _ in range(60):
    run("bytes_slice", none(lambda x, a, b, c: x[a:b:c]), chance.choice(BYTES), chance.choice(PARTS), chance.choice(PARTS), chance.choice(STEPS))
each("bytes_contains_int", lambda a, n: n in a, (b"abc", 97), (b"abc", 0), (b"abc", 256), (b"abc", -1))
each("bytes_of_ints", bytes, [], [1, 2, 255], [256], [-1])
each("bytes_of_count", bytes, 0, 3, -1)
run("bytes_of_bytes", bytes, b"ab")
each("bytes_decode", bytes.decode, b"", b"abc", "é日😀".encode(), b"a\xff", b"\xe6\x97", b"ab\xc3(", b"\x80", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"\xe6\x97a", b"\xf5\x80\x80\x80", b"\xf0\x80\x80\x80")
each("bytes_decode_as", bytes.decode, (b"abc", "utf-8"), (b"\xe9", "latin-1"), (b"a\xe9", "ascii"), (b"abc", "ascii"))
for encoding in ["utf-8", "ascii", "latin-1"]:
    for errors in ["strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace"]:
        for t in ["", "abc", "aé日😀z"]:
            run("str_encode_errors", str.encode, t, encoding, errors)
        if errors != "xmlcharrefreplace":
            for b in [b"", b"abc", b"a\xe9z", b"\xe6\x97a\xff\xf0\x9f\x98", b"\xed\xa0\x80\xc0\x80"]:
                run("bytes_decode_errors", bytes.decode, b, encoding, errors)
each("str_isnumeric", str.isnumeric, *TEXTS, "12", "1²", "½", "三", "Ⅷ", "1a", "-1", "٣")
each("str_isidentifier", str.isidentifier, *TEXTS, "a", "_", "a1", "1a", "a b", "é", "日本", "a·", "·a", "℘", "ª", "a\u0301", "\u0301a", "class", "x_Y9", "²", "a²")
for row, f in [("isalpha", bytes.isalpha), ("isalnum", bytes.isalnum), ("isascii", bytes.isascii), ("isspace", bytes.isspace)]:
    each(f"bytes_{row}", f, *BYTES, b"a1", b"12", b" \t\n\r\x0b\x0c", b" a", b"\x1c")
for b in [b"", b"ab", b"-12", b"+7", b"abcdef"]:
    for n in [0, -1, 3, 5, 6]:
        run("bytes_zfill", bytes.zfill, b, n)
        for row in ["ljust", "rjust"]:
            run(f"bytes_{row}", getattr(bytes, row), b, n), run(f"bytes_{row}_fill", getattr(bytes, row), b, n, b"*")
each("bytes_join", bytes.join, (b",", [b"a", b"b"]), (b"", []), (b"--", [b"x"]))
each("bytes_strip", bytes.strip, b" a b\n", b"", b"  ", b"\x0ba\x1c")

# Lists.
LISTS = [[], [1], [3, 1, 2], [1, 2, 1, 3, 1], ["b", "a", "c"], [1.5, 0.5], [[1], [2], [1]], [(1, "a"), (0, "b")], [True, False], [b"b", b"a"]]
for x in LISTS:
    for row, f in [("list_len_of", len), ("list_of_list", list), ("list_copy", list.copy), ("reversed", lambda x: list(reversed(x))), ("sorted", sorted)]:
        run(row, f, x)
    for row, f in [("list_pop", changed(lambda x: x.pop())), ("list_clear", changed(lambda x: x.clear())), ("list_sort", changed(lambda x: x.sort())), ("list_reverse", changed(lambda x: x.reverse()))]:
        run(row, f, x)
    run("list_concat", lambda a, b: a + b, x, x), run("list_extend", changed(lambda a, b: a.extend(b)), x, x)
    for n in [0, 1, 2, -1]:
        run("list_repeat", lambda a, n: a * n, x, n), run("list_repeat_in_place", statement("x *= a[0]"), x, n)
    for n in [0, 1, -1, 2, 5, -5, 2**63 - 1, -(2**63)]:
        run("list_pop_at", changed(lambda x, n: x.pop(n)), x, n), run("list_delete", statement("del x[a[0]]"), x, n)
    run("sorted_reverse", lambda x, r: sorted(x, reverse=r), x, True), run("list_sort_reverse", changed(lambda x, r: x.sort(reverse=r)), x, True), run("sorted_reverse", lambda x, r: sorted(x, reverse=r), x, False)
    run("enumerate", lambda x: list(enumerate(x)), x), run("enumerate_from", lambda x, n: list(enumerate(x, n)), x, 5), run("zip", lambda a, b: list(zip(a, b)), x, [1, 2])
for x, v in [([1, 2, 1], 1), ([1, 2, 1], 2), ([1, 2, 1], 5), ([], 1), (["a", "b"], "b"), (["a", "b"], "it's"), ([[1], [2]], [2]), ([[1], [2]], [3]), ([1.0, 2.0], 2.0), ([0.0], -0.0), ([(1, "a")], (1, "a"))]:
    for row, f in [("list_index", list.index), ("list_count", list.count), ("list_contains", list.__contains__)]:
        run(row, f, x, v)
    run("list_remove", changed(lambda x, v: x.remove(v)), x, v), run("list_append", changed(lambda x, v: x.append(v)), x, v)
    for n in [0, 1, -1, 9, -9]:
        run("list_index_from", list.index, x, v, n), run("list_index_in", list.index, x, v, 0, n), run("list_insert", changed(lambda x, n, v: x.insert(n, v)), x, n, v)
for _ in range(200):
    x = list(range(chance.randrange(8)))
    a, b, c = chance.choice(PARTS), chance.choice(PARTS), chance.choice(STEPS)
    run("list_slice", none(lambda x, a, b, c: x[a:b:c]), x, a, b, c)
    run("list_delete_slice", statement("del x[s]"), x, a, b, c)
    run("list_set_slice", statement("x[s] = a[3]"), x, a, b, ABSENT, list(range(100, 100 + chance.randrange(4))))
    if c != 0:
        run("list_set_slice", statement("x[s] = a[3]"), x, a, b, c, list(range(100, 100 + len(x[slice(*(None if p == ABSENT else p for p in (a, b, c)))]))))
run("list_set_slice", statement("x[s] = a[3]"), [1, 2, 3], 0, 3, 2, [7])
each("list_of_str", list, *TEXTS)
for v in [0, 3, -2]:
    run("range", lambda n: list(range(n)), v)
each("range_from", lambda a, b: list(range(a, b)), (1, 4), (4, 1), (2**63 - 3, 2**63 - 1))
each("range_step", lambda a, b, c: list(range(a, b, c)), (0, 10, 3), (10, 0, -3), (0, 10, 0), (0, 10, -1), (-(2**63), 2**63 - 1, 2**62), (2**63 - 1, -(2**63), -(2**63)), (0, 1, 2**63 - 1))
for v in [[], [True], [False, True], [False], [True, False]]:
    run("any", any, v), run("all", all, v)
run("sorted", sorted, [-0.0, 0.0, -0.0]), run("sorted", sorted, [(1, "b"), (1, "a"), (0, "z")]), run("sorted", sorted, ["é", "z", "日", "😀", "\uffff", "Z"])
run("sorted", sorted, [[2, 1], [2], [], [1, 9]]), run("sorted_reverse", lambda x, r: sorted(x, reverse=r), [-0.0, 0.0, 1.0], True)

# Dicts.
DICTS = [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {1: "x", 2: "y"}, {(1, "a"): [1]}, {1.5: 2.5, 0.0: 1.0}, {True: 1}]
for d in DICTS:
    for row, f in [("dict_len_of", len), ("dict_of_dict", dict), ("dict_copy", dict.copy), ("dict_keys", lambda d: list(d)), ("dict_values", lambda d: list(d.values())), ("dict_items", lambda d: list(d.items())), ("list_of_dict", list)]:
        run(row, f, d)
    run("dict_popitem", changed(lambda d: d.popitem()), d), run("dict_clear", changed(lambda d: d.clear()), d)
    run("dict_of_pairs", dict, list(d.items())), run("dict_merge", lambda a, b: a | b, d, d)
for d, k, v in [({"a": 1}, "a", 5), ({"a": 1}, "it's", 5), ({1: "x", 2: "y"}, 2, "z"), ({1: "x"}, 9, "z"), ({1.0: 1}, -0.0, 2), ({0.0: 1}, -0.0, 2), ({(1, "a"): 1}, (1, "a"), 9), ({b"k": 1}, b"k", 2)]:
    run("dict_get_or", dict.get, d, k, v), run("dict_pop_or", changed(lambda d, k, v: d.pop(k, v)), d, k, v), run("dict_setdefault", changed(lambda d, k, v: d.setdefault(k, v)), d, k, v)
    run("dict_pop", changed(lambda d, k: d.pop(k)), d, k), run("dict_delete", statement("del x[a[0]]"), d, k)
run("dict_update", changed(lambda a, b: a.update(b)), {"a": 1, "b": 2}, {"b": 3, "c": 4}), run("dict_merge", lambda a, b: a | b, {"a": 1, "b": 2}, {"b": 3, "c": 4})
run("dict_of_pairs", dict, [("a", 1), ("b", 2), ("a", 3)])

# Sets. CPython leaves their order open; `Ordered` has ours, and every result is checked to be what CPython's own set makes.
class Ordered(set):
    def __init__(self, items=()):
        self.keys = list(dict.fromkeys(items))
        set.__init__(self, self.keys)

    def __repr__(self):
        return "{" + ", ".join(map(repr, self.keys)) + "}" if self.keys else "set()"

    def __iter__(self):
        return iter(self.keys)

    def copy(self):
        return Ordered(self.keys)


def frozen(f):
    """Shows the result as a frozen set."""
    class Shown(Ordered):
        def __repr__(self):
            return "frozenset(" + ("{" + ", ".join(map(repr, self.keys)) + "}" if self.keys else "") + ")"

    return lambda *args: Shown(f(*args))


def new(f, order):
    """A set operation whose result has its elements in this order."""
    def g(a, b):
        made, wanted = Ordered(order(a.keys, b.keys)), f(set(a), set(b))
        assert set(made.keys) == wanted, (a, b)
        return made

    return g


def update(f, order):
    """The same in place."""
    def g(a, b):
        wanted = set(a)
        f(wanted, set(b))
        made = Ordered(order(a.keys, b.keys))
        assert set(made.keys) == wanted
        a.keys = made.keys

    return changed(g)


def remove(a, x):
    set(a).remove(x)
    a.keys.remove(x)


def add(a, x):
    a.keys = list(dict.fromkeys(a.keys + [x]))


def pop(a):
    set(a).pop()
    return a.keys.pop(0)


def copy(value):
    return value.copy() if isinstance(value, (list, dict, set)) else value


SETS = [Ordered(x) for x in [[], [1], [3, 1, 2], [2, 3, 9, 4], ["b", "a"], [(1, "a"), (0, "b")], [1.5, 0.0], [True], [b"x", b""], [1, 2, 3, 4, 5, 6, 7, 8, 9]]]
for s in SETS:
    for row, f in [("set_len", len), ("list_of_set", lambda s: list(s.keys)), ("set_of_set", Ordered), ("set_copy", Ordered), ("frozenset_of_set", frozen(Ordered))]:
        run(row, f, s)
    run("set_pop", changed(pop), s), run("set_clear", changed(lambda s: s.keys.clear()), s)
    run("set_of_list", Ordered, s.keys + s.keys[::-1]), run("frozenset_of_list", frozen(Ordered), s.keys + s.keys[::-1])
    for n in range(-1, 4):
        run("set_next", lambda s, n: n if 0 <= n < len(s.keys) else -1, s, n)
        if 0 <= n < len(s.keys):
            run("set_at", lambda s, n: s.keys[n], s, n)
    for other in SETS:
        kinds = {type(x) for x in s.keys + other.keys}
        if len(kinds) > 1 or not (s.keys or other.keys):
            continue
        left, both, right = (lambda a, b: [x for x in a if x not in b]), (lambda a, b: [x for x in a if x in b]), (lambda a, b: [x for x in b if x not in a])
        for name, f, order in [("union", set.union, lambda a, b: a + b), ("intersection", set.intersection, both), ("difference", set.difference, left), ("symmetric_difference", set.symmetric_difference, lambda a, b: left(a, b) + right(a, b))]:
            run(f"set_{name}", new(f, order), s, other)
            in_place = "update" if name == "union" else f"{name}_update"
            run(f"set_{in_place}", update(getattr(set, in_place), order), s, other)
        for row, f in [("set_issubset", set.issubset), ("set_issuperset", set.issuperset), ("set_isdisjoint", set.isdisjoint), ("set_is_proper_subset", set.__lt__), ("set_equal", set.__eq__)]:
            run(row, lambda a, b, f=f: f(set(a), set(b)), s, other)
for s, x in [(Ordered([1, 2]), 1), (Ordered([1, 2]), 3), (Ordered([]), 1), (Ordered(["a"]), "it's"), (Ordered([1.0]), 1.0), (Ordered([0.0]), -0.0), (Ordered([(1, "a")]), (1, "a"))]:
    run("set_contains", lambda s, x: x in s, s, x), run("set_add", changed(add), s, x)
    run("set_discard", changed(lambda s, x: remove(s, x) if x in s else None), s, x), run("set_remove", changed(remove), s, x)

# Tuples of any length.
for x in LISTS:
    run("tuple_of_list", tuple, x)
    x = tuple(x)
    run("tuple_len", len, x), run("tuple_of_tuple", tuple, x), run("list_of_tuple", list, x), run("tuple_concat", lambda a, b: a + b, x, x)
    for n in [0, 1, -1, 2, 5, -5, 2**63 - 1]:
        run("tuple_get", lambda x, n: x[n], x, n)
        if n < 9:
            run("tuple_repeat", lambda x, n: x * n, x, n)
    for part in [(ABSENT, ABSENT, ABSENT), (1, ABSENT, ABSENT), (ABSENT, -1, ABSENT), (ABSENT, ABSENT, -1), (0, 9, 2), (0, 1, 0)]:
        run("tuple_slice", none(lambda x, a, b, c: x[a:b:c]), x, *part)
    for v in x[:2]:
        run("tuple_index", tuple.index, x, v), run("tuple_count", tuple.count, x, v), run("tuple_contains", tuple.__contains__, x, v)
run("tuple_index", tuple.index, (1, 2), 3), run("tuple_contains", tuple.__contains__, (1, 2), 3)

# The rest.
for v in [[], [True], [False, True, True]]:
    run("sum_bools", sum, v)
for x, d in [([3, 1, 2], 9), ([], 9), (["b", "a"], "z"), ([], "z"), ([1.5], 0.0)]:
    run("min_list_or", lambda x, d: min(x, default=d), x, d), run("max_list_or", lambda x, d: max(x, default=d), x, d)
for v in [1, -1.5, "aé日😀\n", ["ü", "\xff"], (1, "ÿ")]:
    run("ascii", ascii, v)
each("str_isprintable", str.isprintable, *TEXTS), each("str_casefold", str.casefold, *TEXTS, "ﬀ ẞ Σς İ ı ſ ᏸ Ꭰ ꭰ ŉ ǰ ΐ")
for t in ["a\tb", "\t", "ab\tc\td", "1234567\tx", "12345678\tx", "é\tb\na\tb\r\tz", "", "日\t本"]:
    run("str_expandtabs", str.expandtabs, t), each("str_expandtabs_size", str.expandtabs, (t, 4), (t, 0), (t, -1), (t, 1))
for t, p in [("hello", "l"), ("hello", "z"), ("héllo", "l"), ("", "")]:
    for n in [0, 1, 3, -1, -9, 9]:
        run("str_rindex_of_from", str.rindex, t, p, n), run("str_endswith_from", str.endswith, t, p, n)
        for e in [0, 2, 4, -1, 9]:
            run("str_startswith_in", str.startswith, t, p, n, e), run("str_endswith_in", str.endswith, t, p, n, e)


def table(*args):
    return {k: "" if v is None else v if isinstance(v, str) else chr(v) for k, v in str.maketrans(*args).items()}


each("str_maketrans", table, ("abc", "xyz"), ("", ""), ("aa", "xy"), ("ab", "x"), ("é", "日"))
each("str_maketrans_remove", table, ("abc", "xyz", "d"), ("", "", ".,"), ("a", "b", "a"), ("ab", "x", ""))
each("str_maketrans_dict", table, {"a": "xyz", "é": ""}, {"ab": "x"})
each("str_translate", str.translate, ("abcabc", {97: "x", 98: ""}), ("héllo", {233: "ee"}), ("", {97: "x"}), ("a", {98: "y"}))
each("bytes_fromhex", bytes.fromhex, "", "00ff", "00 FF\n10", "0", "0g", "1 2", "é0", "ab é0", " 0", "0é")
for x, c in [(b" a b\n", b" "), (b"xxaxx", b"x"), (b"", b"a"), (b"abc", b""), (b"abc", b"cab")]:
    for side in ["strip", "lstrip", "rstrip"]:
        run(f"bytes_{side}_chars", getattr(bytes, side), x, c)
for x in [b"", b" a b\n", b"ABCxyz\xe9", b"\t", b"123", b"1a"]:
    run("bytes_lstrip", bytes.lstrip, x), run("bytes_rstrip", bytes.rstrip, x), run("bytes_upper", bytes.upper, x), run("bytes_lower", bytes.lower, x), run("bytes_isdigit", bytes.isdigit, x)
    for p in [b"", b"A", b"1", b"23", b" "]:
        run("bytes_removeprefix", bytes.removeprefix, x, p), run("bytes_removesuffix", bytes.removesuffix, x, p), run("bytes_partition", bytes.partition, x, p)
        each("bytes_split_sep_max", bytes.split, (x + p + x, p, 1), (x, p, 0), (x, p, -1))
for n in INTS + [128, -128, -129, 32768]:
    for size in [0, 1, 2, 4, 8, 9]:
        run("int_to_bytes", int.to_bytes, n, size, "big"), run("int_to_bytes", int.to_bytes, n, size, "little"), run("int_to_bytes_signed", lambda n, size, order, signed: n.to_bytes(size, order, signed=signed), n, size, "big", True)
each("int_to_bytes", int.to_bytes, (1, 1, "middle"), (1, -1, "big"))
for b in [b"", b"\x00", b"\x01\x02", b"\xff\xfe", b"\xff" * 8, b"\x80" + b"\x00" * 7, b"\x7f" + b"\xff" * 7, b"\x00" * 9 + b"\x05", b"\xff" * 12]:
    for order in ["big", "little"]:
        run("int_from_bytes", int.from_bytes, b, order), run("int_from_bytes_signed", lambda b, order, signed: int.from_bytes(b, order, signed=signed), b, order, True)
for n in INTS[:8]:
    run("math_floor_int", math.floor, n), run("math_ceil_int", math.ceil, n), run("math_trunc_int", math.trunc, n)
each("math_lcm", math.lcm, (4, 6), (0, 5), (-4, 6), (2**62, 3), (1, -(2**63)), (0, 0))
each("math_factorial", math.factorial, 0, 1, 5, 20, 21, -1)
for n, k in [(5, 2), (5, 0), (5, 6), (-1, 2), (5, -1), (62, 31), (66, 33), (68, 34), (2**62, 1), (100, 99), (2**40, 2)]:
    run("math_comb", math.comb, n, k), run("math_perm", math.perm, n, k)
each("math_prod_ints", math.prod, [], [2, 3], [2**62, 4], [2**62, 4, 0], [-1, 5])
each("math_prod_floats", math.prod, [1.5, 2.0], [0.1, 3.0, 7.0], [1e300, 1e300])
for a, b in [(1.0, 1.0), (1.0, 1.0 + 1e-10), (1.0, 1.1), (0.0, 1e-12), (float("inf"), float("inf")), (float("inf"), 1.0), (float("nan"), 1.0)]:
    run("math_isclose", math.isclose, a, b)
    for r in [0.0, 0.2, -1.0]:
        run("math_isclose_rel", lambda a, b, r: math.isclose(a, b, rel_tol=r), a, b, r), run("math_isclose_both", lambda a, b, r, t: math.isclose(a, b, rel_tol=r, abs_tol=t), a, b, r, 1e-9)
each("math_log1p", math.log1p, 0.0, 1e-10, 1.5, -0.5, -1.0, -2.0, float("inf"), float("nan")), each("math_expm1", math.expm1, 0.0, 1e-10, 1.5, -0.5, 800.0, float("-inf"))
# Lists with keys.
for x, keys in [([], []), (["a", "b", "c"], [2, 1, 2]), ([1, 2, 3, 4], ["x", "it's", "x", ""]), ([[1], [2], [3]], [(1, "b"), (1, "a"), (0, "z")]), (["p", "q"], [0.0, -0.0]), (["p", "q", "r"], [1.5, -1.0, 2.5]), ([5, 6], [True, False]), ([1.5, 2.5, 0.5], [[2], [1, 9], []])]:
    for r in [False, True]:
        run("list_sorted_by", lambda x, k, r: [v for v, _ in sorted(zip(x, k), key=lambda p: p[1], reverse=r)], x, keys, r)
    run("list_min_by", lambda x, k: min(x, key=lambda v: k[x.index(v)]), x, keys), run("list_max_by", lambda x, k: max(x, key=lambda v: k[x.index(v)]), x, keys)


# JSON: documents that fit; what does not is told in our own words.
def json_form(value):
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [json_form(part) for part in value]
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        return {"$dict": [[json_form(key), json_form(part)] for key, part in value.items()]}
    return {key: json_form(part) for key, part in value.items()} if isinstance(value, dict) else value


def json_write(value):
    return json.dumps(json_form(value), separators=(",", ":"), ensure_ascii=False).encode(), ""


def json_read(into, data):
    into.append(json.loads(data))
    return ""


each("json_write", json_write, *INTS, *FLOATS, *TEXTS, True, None, b"", b"\0\xff'", [1, -2], [], ["a", 'b"\\'], {"k": [1.0, -0.0]}, {1: "a", -2: ""}, ((1, "a", None),), [(True, 1.5)],
     {"a": {"b": {"c": [[1]]}}}, {(1, 2): b"x"})
for into, data in [([], b"1"), ([5], b" -9223372036854775808 "), ([], b"9223372036854775807"), ([1.5], b"2.5e3"), ([0.5], b"Infinity"), ([""], b'"a\\u00e9\\n\\ud83d\\ude00\\/"'), ([""], '"日本"'.encode()),
                   ([[1]], b"[ 1,2 ,\n3 ]"), ([[1]], b"[]"), ([True], b"false"), ([None], b"null"), ([{"a": 1}], b'{"b": 2, "c": 3, "b": 4}'), ([{"a": [[1.5]]}], b'{"x": [[], [0.25]]}')]:
    run("json_read", changed(json_read), into, data)
