//! The rows. Of several with one spelling, a front end takes the first whose parameters fit as they are, and only where none
//! does, the first that fits after int became float. Parameters are named as in Python where Python lets them be given by
//! name. An absent part of a slice is `args::ABSENT`, the least int.

use super::*;

builtins! {
    // Any value.
    /// The text of an integer in decimal.
    StrOfInt "str_of_int" Function("str") (value: INT) => STR, [TRAPS ALLOCATES], text::of_int;
    /// The text of a value as a person reads it: text as it is, everything else as `repr` writes it.
    StrOf "str_of" Function("str") (value: T) => STR, [TRAPS READS ALLOCATES], any::to_str;
    /// The text of a value as source would write it.
    Repr "repr" Function("repr") (value: T) => STR, [TRAPS READS ALLOCATES], any::repr;
    /// Whether a value counts as true: a number other than zero, a text or collection that is not empty, any object.
    Truth "truth" Function("bool") (value: T) => BOOL, [READS], any::truth;
    /// Appends a line to the isolate's log.
    Print "print" Function("print") (text: STR) => NONE, [WRITES], any::print;

    // Numbers.
    /// The absolute value of an integer; traps on overflow.
    AbsInt "abs_int" Function("abs") (value: INT) => INT, [TRAPS], number::abs_int;
    /// The absolute value of a float.
    AbsFloat "abs_float" Function("abs") (value: FLOAT) => FLOAT, [], number::abs_float;
    /// The integer itself.
    IntOfInt "int_of_int" Function("int") (value: INT) => INT, [], number::same;
    /// 1 for true, 0 for false.
    IntOfBool "int_of_bool" Function("int") (value: BOOL) => INT, [], number::same;
    /// A float truncated towards zero; traps on NaN, infinity and overflow.
    IntOfFloat "int_of_float" Function("int") (value: FLOAT) => INT, [TRAPS], number::int_of_float;
    /// The integer that a text writes in decimal; traps where it writes none.
    IntOfStr "int_of_str" Function("int") (value: STR) => INT, [TRAPS], number::int_of_str;
    /// The integer that a text writes in a base from 2 to 36, or in the base that its prefix says where base is 0.
    IntOfStrBase "int_of_str_base" Function("int") (value: STR, base: INT) => INT, [TRAPS], number::int_of_str_base;
    /// The float itself.
    FloatOfFloat "float_of_float" Function("float") (value: FLOAT) => FLOAT, [], number::same;
    /// The float nearest to an integer.
    FloatOfInt "float_of_int" Function("float") (value: INT) => FLOAT, [], number::float_of_int;
    /// 1.0 for true, 0.0 for false.
    FloatOfBool "float_of_bool" Function("float") (value: BOOL) => FLOAT, [], number::float_of_int;
    /// The float that a text writes, `inf` and `nan` among them; traps where it writes none.
    FloatOfStr "float_of_str" Function("float") (value: STR) => FLOAT, [TRAPS], number::float_of_str;
    /// The smaller of two integers.
    MinInt "min_int" Function("min") (a: INT, b: INT) => INT, [], number::min_int;
    /// The first of two values that the other is not less than.
    Min "min" Function("min") (a: ORDERED_T, b: ORDERED_T) => ORDERED_T, [TRAPS READS], any::min;
    /// The first of three values that no other is less than.
    MinOfThree "min_of_three" Function("min") (a: ORDERED_T, b: ORDERED_T, c: ORDERED_T) => ORDERED_T, [TRAPS READS], any::min;
    /// The first element of a list that no other is less than; traps on an empty list.
    MinList "min_list" Function("min") (list: LIST_ORDERED_T) => ORDERED_T, [TRAPS READS], any::min_list;
    /// The larger of two integers.
    MaxInt "max_int" Function("max") (a: INT, b: INT) => INT, [], number::max_int;
    /// The first of two values that the other is not greater than.
    Max "max" Function("max") (a: ORDERED_T, b: ORDERED_T) => ORDERED_T, [TRAPS READS], any::max;
    /// The first of three values that no other is greater than.
    MaxOfThree "max_of_three" Function("max") (a: ORDERED_T, b: ORDERED_T, c: ORDERED_T) => ORDERED_T, [TRAPS READS], any::max;
    /// The first element of a list that no other is greater than; traps on an empty list.
    MaxList "max_list" Function("max") (list: LIST_ORDERED_T) => ORDERED_T, [TRAPS READS], any::max_list;
    /// The sum of the integers of a list; traps on overflow of the result.
    SumInts "sum_ints" Function("sum") (list: LIST_INT) => INT, [TRAPS READS], number::sum_ints;
    /// The sum of the integers of a list and a start; traps on overflow of the result.
    SumIntsFrom "sum_ints_from" Function("sum") (list: LIST_INT, start: INT) => INT, [TRAPS READS], number::sum_ints;
    /// The sum of the floats of a list, added from left to right.
    SumFloats "sum_floats" Function("sum") (list: LIST_FLOAT) => FLOAT, [READS], number::sum_floats;
    /// The sum of a start and the floats of a list, added from left to right.
    SumFloatsFrom "sum_floats_from" Function("sum") (list: LIST_FLOAT, start: FLOAT) => FLOAT, [READS], number::sum_floats;
    /// The integer itself.
    RoundInt "round_int" Function("round") (number: INT) => INT, [], number::same;
    /// An integer rounded to a multiple of a power of ten where ndigits is negative, ties to the even one.
    RoundIntDigits "round_int_digits" Function("round") (number: INT, ndigits: INT) => INT, [TRAPS], number::round_int_digits;
    /// The integer nearest to a float, ties to the even one; traps on NaN, infinity and overflow.
    RoundFloat "round_float" Function("round") (number: FLOAT) => INT, [TRAPS], number::round_float;
    /// A float rounded to this many digits after the point, by its exact value.
    RoundFloatDigits "round_float_digits" Function("round") (number: FLOAT, ndigits: INT) => FLOAT, [TRAPS], number::round_float_digits;
    /// Quotient rounded towards minus infinity and remainder with the sign of the divisor, of integers.
    DivmodInt "divmod_int" Function("divmod") (a: INT, b: INT) => PAIR_INT, [TRAPS ALLOCATES], number::divmod_int;
    /// Quotient rounded towards minus infinity and remainder with the sign of the divisor, of floats.
    DivmodFloat "divmod_float" Function("divmod") (a: FLOAT, b: FLOAT) => PAIR_FLOAT, [TRAPS ALLOCATES], number::divmod_float;
    /// An integer to an integer power; traps on overflow and on a negative exponent.
    PowInt "pow_int" Function("pow") (base: INT, exp: INT) => INT, [TRAPS], number::pow_int;
    /// An integer to an integer power, modulo a third one; a negative exponent takes the inverse.
    PowMod "pow_mod" Function("pow") (base: INT, exp: INT, modulus: INT) => INT, [TRAPS], number::pow_mod;
    /// A float to a float power.
    PowFloat "pow_float" Function("pow") (base: FLOAT, exp: FLOAT) => FLOAT, [TRAPS], number::pow_float;
    /// The code point of a text of one character.
    Ord "ord" Function("ord") (text: STR) => INT, [TRAPS], number::ord;
    /// The text of the one character with this code point.
    Chr "chr" Function("chr") (code: INT) => STR, [TRAPS ALLOCATES], number::chr;
    /// An integer in hexadecimal with the prefix `0x`.
    Hex "hex" Function("hex") (value: INT) => STR, [TRAPS ALLOCATES], number::hex;
    /// An integer in octal with the prefix `0o`.
    Oct "oct" Function("oct") (value: INT) => STR, [TRAPS ALLOCATES], number::oct;
    /// An integer in binary with the prefix `0b`.
    Bin "bin" Function("bin") (value: INT) => STR, [TRAPS ALLOCATES], number::bin;
    /// How many bits the absolute value takes.
    BitLength "bit_length" Method("bit_length") (value: INT) => INT, [], number::bit_length;
    /// How many bits of the absolute value are set.
    BitCount "bit_count" Method("bit_count") (value: INT) => INT, [], number::bit_count;
    /// Whether a float is finite and has no fraction.
    IsInteger "is_integer" Method("is_integer") (value: FLOAT) => BOOL, [], number::is_integer;
    /// Whether an int is equal to a float, compared exactly: the int is not rounded.
    EqIntFloat "eq_int_float" Syntax (a: INT, b: FLOAT) => BOOL, [], number::eq_int_float;
    /// Whether an int is less than a float, compared exactly: the int is not rounded.
    LtIntFloat "lt_int_float" Syntax (a: INT, b: FLOAT) => BOOL, [], number::lt_int_float;
    /// Whether an int is less than or equal to a float, compared exactly: the int is not rounded.
    LeIntFloat "le_int_float" Syntax (a: INT, b: FLOAT) => BOOL, [], number::le_int_float;
    /// Whether an int is greater than a float, compared exactly: the int is not rounded.
    GtIntFloat "gt_int_float" Syntax (a: INT, b: FLOAT) => BOOL, [], number::gt_int_float;
    /// Whether an int is greater than or equal to a float, compared exactly: the int is not rounded.
    GeIntFloat "ge_int_float" Syntax (a: INT, b: FLOAT) => BOOL, [], number::ge_int_float;

    // Mathematics.
    /// The square root; traps on a negative number.
    Sqrt "math_sqrt" Function("math.sqrt") (x: FLOAT) => FLOAT, [TRAPS], math::sqrt;
    /// The largest integer that is not greater; traps on NaN, infinity and overflow.
    Floor "math_floor" Function("math.floor") (x: FLOAT) => INT, [TRAPS], math::floor;
    /// The smallest integer that is not less; traps on NaN, infinity and overflow.
    Ceil "math_ceil" Function("math.ceil") (x: FLOAT) => INT, [TRAPS], math::ceil;
    /// The integer without the fraction; traps on NaN, infinity and overflow.
    Trunc "math_trunc" Function("math.trunc") (x: FLOAT) => INT, [TRAPS], number::int_of_float;
    /// The absolute value as a float.
    Fabs "math_fabs" Function("math.fabs") (x: FLOAT) => FLOAT, [TRAPS], math::fabs;
    /// The power of e; traps on overflow.
    Exp "math_exp" Function("math.exp") (x: FLOAT) => FLOAT, [TRAPS], math::exp;
    /// The natural logarithm; traps on what is not positive.
    Log "math_log" Function("math.log") (x: FLOAT) => FLOAT, [TRAPS], math::log;
    /// The logarithm to a base; traps on what is not positive and on base 1.
    LogBase "math_log_base" Function("math.log") (x: FLOAT, base: FLOAT) => FLOAT, [TRAPS], math::log_base;
    /// The logarithm to base 2; traps on what is not positive.
    Log2 "math_log2" Function("math.log2") (x: FLOAT) => FLOAT, [TRAPS], math::log2;
    /// The logarithm to base 10; traps on what is not positive.
    Log10 "math_log10" Function("math.log10") (x: FLOAT) => FLOAT, [TRAPS], math::log10;
    /// The sine of an angle in radians; traps on infinity.
    Sin "math_sin" Function("math.sin") (x: FLOAT) => FLOAT, [TRAPS], math::sin;
    /// The cosine of an angle in radians; traps on infinity.
    Cos "math_cos" Function("math.cos") (x: FLOAT) => FLOAT, [TRAPS], math::cos;
    /// The tangent of an angle in radians; traps on infinity.
    Tan "math_tan" Function("math.tan") (x: FLOAT) => FLOAT, [TRAPS], math::tan;
    /// The arc sine in radians; traps outside -1 to 1.
    Asin "math_asin" Function("math.asin") (x: FLOAT) => FLOAT, [TRAPS], math::asin;
    /// The arc cosine in radians; traps outside -1 to 1.
    Acos "math_acos" Function("math.acos") (x: FLOAT) => FLOAT, [TRAPS], math::acos;
    /// The arc tangent in radians.
    Atan "math_atan" Function("math.atan") (x: FLOAT) => FLOAT, [TRAPS], math::atan;
    /// The angle of the point (x, y) in radians.
    Atan2 "math_atan2" Function("math.atan2") (y: FLOAT, x: FLOAT) => FLOAT, [], math::atan2;
    /// The hyperbolic sine; traps on overflow.
    Sinh "math_sinh" Function("math.sinh") (x: FLOAT) => FLOAT, [TRAPS], math::sinh;
    /// The hyperbolic cosine; traps on overflow.
    Cosh "math_cosh" Function("math.cosh") (x: FLOAT) => FLOAT, [TRAPS], math::cosh;
    /// The hyperbolic tangent.
    Tanh "math_tanh" Function("math.tanh") (x: FLOAT) => FLOAT, [TRAPS], math::tanh;
    /// Radians as degrees.
    Degrees "math_degrees" Function("math.degrees") (x: FLOAT) => FLOAT, [TRAPS], math::degrees;
    /// Degrees as radians.
    Radians "math_radians" Function("math.radians") (x: FLOAT) => FLOAT, [TRAPS], math::radians;
    /// The length of the vector (x, y).
    Hypot "math_hypot" Function("math.hypot") (x: FLOAT, y: FLOAT) => FLOAT, [TRAPS], math::hypot;
    /// The first number with the sign of the second.
    Copysign "math_copysign" Function("math.copysign") (x: FLOAT, y: FLOAT) => FLOAT, [], math::copysign;
    /// The remainder with the sign of the first number; traps on a zero second one and an infinite first one.
    MathFmod "math_fmod" Function("math.fmod") (x: FLOAT, y: FLOAT) => FLOAT, [TRAPS], math::fmod;
    /// A power of floats; traps where it has no real value and on overflow.
    MathPow "math_pow" Function("math.pow") (x: FLOAT, y: FLOAT) => FLOAT, [TRAPS], math::pow;
    /// Whether a float is NaN.
    IsNan "math_isnan" Function("math.isnan") (x: FLOAT) => BOOL, [], math::is_nan;
    /// Whether a float is infinite.
    IsInf "math_isinf" Function("math.isinf") (x: FLOAT) => BOOL, [], math::is_inf;
    /// Whether a float is neither infinite nor NaN.
    IsFinite "math_isfinite" Function("math.isfinite") (x: FLOAT) => BOOL, [], math::is_finite;
    /// The greatest common divisor.
    Gcd "math_gcd" Function("math.gcd") (a: INT, b: INT) => INT, [TRAPS], math::gcd;
    /// The square root of an integer, rounded down; traps on a negative one.
    Isqrt "math_isqrt" Function("math.isqrt") (n: INT) => INT, [TRAPS], math::isqrt;

    // Text.
    /// The number of code points of a text.
    StrLen "str_len" Function("len") (text: STR) => INT, [], text::len;
    /// One text after the other.
    StrConcat "str_concat" Syntax (a: STR, b: STR) => STR, [TRAPS ALLOCATES], text::concat;
    /// A text this many times, none where the count is negative.
    StrRepeat "str_repeat" Syntax (text: STR, count: INT) => STR, [TRAPS ALLOCATES], text::repeat;
    /// The character at this index, a negative one counting from the end; traps outside.
    StrIndex "str_index" Syntax (text: STR, index: INT) => STR, [TRAPS ALLOCATES], text::index;
    /// The part of a text that `start:stop:step` selects; what is absent is the least int.
    StrSlice "str_slice" Syntax (text: STR, start: INT, stop: INT, step: INT) => STR, [TRAPS ALLOCATES], text::slice;
    /// Whether the second text stands somewhere in the first.
    StrContains "str_contains" Syntax (text: STR, part: STR) => BOOL, [], text::contains;
    /// A value as a format specification says.
    FormatInt "format_int" Function("format") (value: INT, format_spec: STR) => STR, [TRAPS ALLOCATES], format::format_int;
    /// A float as a format specification says.
    FormatFloat "format_float" Function("format") (value: FLOAT, format_spec: STR) => STR, [TRAPS ALLOCATES], format::format_float;
    /// A truth value as a format specification says.
    FormatBool "format_bool" Function("format") (value: BOOL, format_spec: STR) => STR, [TRAPS ALLOCATES], format::format_bool;
    /// A text as a format specification says.
    FormatStr "format_str" Function("format") (value: STR, format_spec: STR) => STR, [TRAPS ALLOCATES], format::format_str;
    /// The text in upper case.
    StrUpper "str_upper" Method("upper") (text: STR) => STR, [TRAPS ALLOCATES], text::upper;
    /// The text in lower case.
    StrLower "str_lower" Method("lower") (text: STR) => STR, [TRAPS ALLOCATES], text::lower;
    /// The text with each word capitalised.
    StrTitle "str_title" Method("title") (text: STR) => STR, [TRAPS ALLOCATES], text::title;
    /// The text with its first character in title case and the others in lower case.
    StrCapitalize "str_capitalize" Method("capitalize") (text: STR) => STR, [TRAPS ALLOCATES], text::capitalize;
    /// The text with upper case for lower and the other way round.
    StrSwapcase "str_swapcase" Method("swapcase") (text: STR) => STR, [TRAPS ALLOCATES], text::swapcase;
    /// The text without white space at both ends.
    StrStrip "str_strip" Method("strip") (text: STR) => STR, [TRAPS ALLOCATES], text::strip;
    /// The text without any of these characters at both ends.
    StrStripChars "str_strip_chars" Method("strip") (text: STR, chars: STR) => STR, [TRAPS ALLOCATES], text::strip_chars;
    /// The text without white space at its start.
    StrLstrip "str_lstrip" Method("lstrip") (text: STR) => STR, [TRAPS ALLOCATES], text::lstrip;
    /// The text without any of these characters at its start.
    StrLstripChars "str_lstrip_chars" Method("lstrip") (text: STR, chars: STR) => STR, [TRAPS ALLOCATES], text::lstrip_chars;
    /// The text without white space at its end.
    StrRstrip "str_rstrip" Method("rstrip") (text: STR) => STR, [TRAPS ALLOCATES], text::rstrip;
    /// The text without any of these characters at its end.
    StrRstripChars "str_rstrip_chars" Method("rstrip") (text: STR, chars: STR) => STR, [TRAPS ALLOCATES], text::rstrip_chars;
    /// The text without this prefix, if it has it.
    StrRemovePrefix "str_removeprefix" Method("removeprefix") (text: STR, prefix: STR) => STR, [TRAPS ALLOCATES], text::remove_prefix;
    /// The text without this suffix, if it has it.
    StrRemoveSuffix "str_removesuffix" Method("removesuffix") (text: STR, suffix: STR) => STR, [TRAPS ALLOCATES], text::remove_suffix;
    /// The parts between runs of white space.
    StrSplit "str_split" Method("split") (text: STR) => LIST_STR, [TRAPS ALLOCATES], text::split_space;
    /// The parts between occurrences of a separator.
    StrSplitSep "str_split_sep" Method("split") (text: STR, sep: STR) => LIST_STR, [TRAPS ALLOCATES], text::split;
    /// The parts between occurrences of a separator, cut at most this many times from the start.
    StrSplitSepMax "str_split_sep_max" Method("split") (text: STR, sep: STR, maxsplit: INT) => LIST_STR, [TRAPS ALLOCATES], text::split;
    /// The parts between runs of white space; the separator is `None`.
    StrSplitNone "str_split_none" Method("split") (text: STR, sep: NONE) => LIST_STR, [TRAPS ALLOCATES], text::split_space;
    /// The parts between runs of white space, cut at most this many times from the start.
    StrSplitMax "str_split_max" Method("split") (text: STR, sep: NONE, maxsplit: INT) => LIST_STR, [TRAPS ALLOCATES], text::split_space;
    /// The parts between runs of white space, as `split`.
    StrRsplit "str_rsplit" Method("rsplit") (text: STR) => LIST_STR, [TRAPS ALLOCATES], text::rsplit_space;
    /// The parts between occurrences of a separator, found from the end.
    StrRsplitSep "str_rsplit_sep" Method("rsplit") (text: STR, sep: STR) => LIST_STR, [TRAPS ALLOCATES], text::rsplit;
    /// The parts between occurrences of a separator, cut at most this many times from the end.
    StrRsplitSepMax "str_rsplit_sep_max" Method("rsplit") (text: STR, sep: STR, maxsplit: INT) => LIST_STR, [TRAPS ALLOCATES], text::rsplit;
    /// The parts between runs of white space, cut at most this many times from the end.
    StrRsplitMax "str_rsplit_max" Method("rsplit") (text: STR, sep: NONE, maxsplit: INT) => LIST_STR, [TRAPS ALLOCATES], text::rsplit_space;
    /// The lines of a text without what ends them.
    StrSplitlines "str_splitlines" Method("splitlines") (text: STR) => LIST_STR, [TRAPS ALLOCATES], text::splitlines;
    /// The lines of a text, with what ends them where keepends is true.
    StrSplitlinesKeep "str_splitlines_keep" Method("splitlines") (text: STR, keepends: BOOL) => LIST_STR, [TRAPS ALLOCATES], text::splitlines;
    /// What stands before the first separator, the separator, and what stands after it; the whole text first where there is none.
    StrPartition "str_partition" Method("partition") (text: STR, sep: STR) => TRIPLE_STR, [TRAPS ALLOCATES], text::partition;
    /// What stands before the last separator, the separator, and what stands after it; the whole text last where there is none.
    StrRpartition "str_rpartition" Method("rpartition") (text: STR, sep: STR) => TRIPLE_STR, [TRAPS ALLOCATES], text::rpartition;
    /// The texts of a list with this one between them.
    StrJoin "str_join" Method("join") (separator: STR, parts: LIST_STR) => STR, [TRAPS READS ALLOCATES], text::join;
    /// The text with each occurrence of one text replaced by another.
    StrReplace "str_replace" Method("replace") (text: STR, old: STR, new: STR) => STR, [TRAPS ALLOCATES], text::replace;
    /// The text with the first so many occurrences of one text replaced by another.
    StrReplaceCount "str_replace_count" Method("replace") (text: STR, old: STR, new: STR, count: INT) => STR, [TRAPS ALLOCATES], text::replace;
    /// The index of the first occurrence of a text, or -1.
    StrFind "str_find" Method("find") (text: STR, sub: STR) => INT, [], text::find;
    /// The index of the first occurrence of a text from a start on, or -1.
    StrFindFrom "str_find_from" Method("find") (text: STR, sub: STR, start: INT) => INT, [], text::find;
    /// The index of the first occurrence of a text between start and end, or -1.
    StrFindIn "str_find_in" Method("find") (text: STR, sub: STR, start: INT, end: INT) => INT, [], text::find;
    /// The index of the last occurrence of a text, or -1.
    StrRfind "str_rfind" Method("rfind") (text: STR, sub: STR) => INT, [], text::rfind;
    /// The index of the last occurrence of a text from a start on, or -1.
    StrRfindFrom "str_rfind_from" Method("rfind") (text: STR, sub: STR, start: INT) => INT, [], text::rfind;
    /// The index of the last occurrence of a text between start and end, or -1.
    StrRfindIn "str_rfind_in" Method("rfind") (text: STR, sub: STR, start: INT, end: INT) => INT, [], text::rfind;
    /// The index of the first occurrence of a text; traps where there is none.
    StrIndexOf "str_index_of" Method("index") (text: STR, sub: STR) => INT, [TRAPS], text::find_or_fail;
    /// The index of the first occurrence of a text from a start on; traps where there is none.
    StrIndexOfFrom "str_index_of_from" Method("index") (text: STR, sub: STR, start: INT) => INT, [TRAPS], text::find_or_fail;
    /// The index of the last occurrence of a text; traps where there is none.
    StrRindexOf "str_rindex_of" Method("rindex") (text: STR, sub: STR) => INT, [TRAPS], text::rfind_or_fail;
    /// How often a text occurs without overlap.
    StrCount "str_count" Method("count") (text: STR, sub: STR) => INT, [], text::count;
    /// How often a text occurs without overlap from a start on.
    StrCountFrom "str_count_from" Method("count") (text: STR, sub: STR, start: INT) => INT, [], text::count;
    /// How often a text occurs without overlap between start and end.
    StrCountIn "str_count_in" Method("count") (text: STR, sub: STR, start: INT, end: INT) => INT, [], text::count;
    /// Whether a text begins with this one.
    StrStartsWith "str_startswith" Method("startswith") (text: STR, prefix: STR) => BOOL, [], text::starts_with;
    /// Whether this text stands at a start.
    StrStartsWithFrom "str_startswith_from" Method("startswith") (text: STR, prefix: STR, start: INT) => BOOL, [], text::starts_with;
    /// Whether a text ends with this one.
    StrEndsWith "str_endswith" Method("endswith") (text: STR, suffix: STR) => BOOL, [], text::ends_with;
    /// Whether all characters are digits, and there is one.
    StrIsDigit "str_isdigit" Method("isdigit") (text: STR) => BOOL, [], text::is_digit;
    /// Whether all characters are decimal digits, and there is one.
    StrIsDecimal "str_isdecimal" Method("isdecimal") (text: STR) => BOOL, [], text::is_decimal;
    /// Whether all characters are letters, and there is one.
    StrIsAlpha "str_isalpha" Method("isalpha") (text: STR) => BOOL, [], text::is_alpha;
    /// Whether all characters are letters or numerals, and there is one.
    StrIsAlnum "str_isalnum" Method("isalnum") (text: STR) => BOOL, [], text::is_alnum;
    /// Whether all characters are white space, and there is one.
    StrIsSpace "str_isspace" Method("isspace") (text: STR) => BOOL, [], text::is_space;
    /// Whether all characters that have a case are in upper case, and there is one.
    StrIsUpper "str_isupper" Method("isupper") (text: STR) => BOOL, [], text::is_upper;
    /// Whether all characters that have a case are in lower case, and there is one.
    StrIsLower "str_islower" Method("islower") (text: STR) => BOOL, [], text::is_lower;
    /// Whether each word is capitalised, and there is one.
    StrIsTitle "str_istitle" Method("istitle") (text: STR) => BOOL, [], text::is_title;
    /// Whether all characters are ASCII.
    StrIsAscii "str_isascii" Method("isascii") (text: STR) => BOOL, [], text::is_ascii;
    /// The text with zeros after its sign up to a width.
    StrZfill "str_zfill" Method("zfill") (text: STR, width: INT) => STR, [TRAPS ALLOCATES], text::zfill;
    /// The text with spaces after it up to a width.
    StrLjust "str_ljust" Method("ljust") (text: STR, width: INT) => STR, [TRAPS ALLOCATES], text::ljust;
    /// The text with a character after it up to a width.
    StrLjustFill "str_ljust_fill" Method("ljust") (text: STR, width: INT, fillchar: STR) => STR, [TRAPS ALLOCATES], text::ljust;
    /// The text with spaces before it up to a width.
    StrRjust "str_rjust" Method("rjust") (text: STR, width: INT) => STR, [TRAPS ALLOCATES], text::rjust;
    /// The text with a character before it up to a width.
    StrRjustFill "str_rjust_fill" Method("rjust") (text: STR, width: INT, fillchar: STR) => STR, [TRAPS ALLOCATES], text::rjust;
    /// The text in the middle of spaces up to a width.
    StrCenter "str_center" Method("center") (text: STR, width: INT) => STR, [TRAPS ALLOCATES], text::center;
    /// The text in the middle of a repeated character up to a width.
    StrCenterFill "str_center_fill" Method("center") (text: STR, width: INT, fillchar: STR) => STR, [TRAPS ALLOCATES], text::center;
    /// The text in UTF-8.
    StrEncode "str_encode" Method("encode") (text: STR) => BYTES, [TRAPS ALLOCATES], text::encode;
    /// The text in an encoding: utf-8, ascii or latin-1; traps on what it can't write.
    StrEncodeAs "str_encode_as" Method("encode") (text: STR, encoding: STR) => BYTES, [TRAPS ALLOCATES], text::encode_as;

    // Bytes.
    /// The number of bytes.
    BytesLen "bytes_len" Function("len") (bytes: BYTES) => INT, [], bytes::len;
    /// One run of bytes after the other.
    BytesConcat "bytes_concat" Syntax (a: BYTES, b: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::concat;
    /// Bytes this many times, none where the count is negative.
    BytesRepeat "bytes_repeat" Syntax (bytes: BYTES, count: INT) => BYTES, [TRAPS ALLOCATES], bytes::repeat;
    /// The byte at this index as an integer, a negative index counting from the end; traps outside.
    BytesIndex "bytes_index" Syntax (bytes: BYTES, index: INT) => INT, [TRAPS], bytes::index;
    /// The part of bytes that `start:stop:step` selects; what is absent is the least int.
    BytesSlice "bytes_slice" Syntax (bytes: BYTES, start: INT, stop: INT, step: INT) => BYTES, [TRAPS ALLOCATES], bytes::slice;
    /// Whether the second bytes stand somewhere in the first.
    BytesContains "bytes_contains" Syntax (bytes: BYTES, part: BYTES) => BOOL, [], bytes::contains;
    /// Whether this byte stands somewhere; traps outside 0 to 255.
    BytesContainsInt "bytes_contains_int" Syntax (bytes: BYTES, byte: INT) => BOOL, [TRAPS], bytes::contains_int;
    /// The bytes of a list of integers from 0 to 255.
    BytesOfInts "bytes_of_ints" Function("bytes") (values: LIST_INT) => BYTES, [TRAPS READS ALLOCATES], bytes::of_list;
    /// This many zero bytes.
    BytesOfCount "bytes_of_count" Function("bytes") (count: INT) => BYTES, [TRAPS ALLOCATES], bytes::of_count;
    /// The bytes themselves.
    BytesOfBytes "bytes_of_bytes" Function("bytes") (bytes: BYTES) => BYTES, [], number::same;
    /// The text that bytes write in UTF-8; traps where they write none.
    BytesDecode "bytes_decode" Method("decode") (bytes: BYTES) => STR, [TRAPS ALLOCATES], bytes::decode;
    /// The text that bytes write in an encoding: utf-8, ascii or latin-1.
    BytesDecodeAs "bytes_decode_as" Method("decode") (bytes: BYTES, encoding: STR) => STR, [TRAPS ALLOCATES], bytes::decode_as;
    /// Two hexadecimal digits for each byte.
    BytesHex "bytes_hex" Method("hex") (bytes: BYTES) => STR, [TRAPS ALLOCATES], bytes::hex;
    /// The index of the first occurrence of bytes, or -1.
    BytesFind "bytes_find" Method("find") (bytes: BYTES, sub: BYTES) => INT, [], bytes::find;
    /// The index of the first occurrence of bytes from a start on, or -1.
    BytesFindFrom "bytes_find_from" Method("find") (bytes: BYTES, sub: BYTES, start: INT) => INT, [], bytes::find;
    /// The index of the last occurrence of bytes, or -1.
    BytesRfind "bytes_rfind" Method("rfind") (bytes: BYTES, sub: BYTES) => INT, [], bytes::rfind;
    /// The index of the first occurrence of bytes; traps where there is none.
    BytesIndexOf "bytes_index_of" Method("index") (bytes: BYTES, sub: BYTES) => INT, [TRAPS], bytes::find_or_fail;
    /// How often bytes occur without overlap.
    BytesCount "bytes_count" Method("count") (bytes: BYTES, sub: BYTES) => INT, [], bytes::count;
    /// Whether bytes begin with these.
    BytesStartsWith "bytes_startswith" Method("startswith") (bytes: BYTES, prefix: BYTES) => BOOL, [], bytes::starts_with;
    /// Whether bytes end with these.
    BytesEndsWith "bytes_endswith" Method("endswith") (bytes: BYTES, suffix: BYTES) => BOOL, [], bytes::ends_with;
    /// The parts between occurrences of a separator.
    BytesSplitSep "bytes_split_sep" Method("split") (bytes: BYTES, sep: BYTES) => LIST_BYTES, [TRAPS ALLOCATES], bytes::split;
    /// The bytes of a list with these between them.
    BytesJoin "bytes_join" Method("join") (separator: BYTES, parts: LIST_BYTES) => BYTES, [TRAPS READS ALLOCATES], bytes::join;
    /// The bytes with each occurrence of some replaced by others.
    BytesReplace "bytes_replace" Method("replace") (bytes: BYTES, old: BYTES, new: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::replace;
    /// The bytes without ASCII white space at both ends.
    BytesStrip "bytes_strip" Method("strip") (bytes: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::strip;

    // Lists.
    /// The number of elements.
    ListLen "list_len_of" Function("len") (list: LIST_T) => INT, [READS], list::len;
    /// A new list with the same elements.
    ListOfList "list_of_list" Function("list") (list: LIST_T) => LIST_T, [TRAPS READS ALLOCATES], list::copy;
    /// The characters of a text.
    ListOfStr "list_of_str" Function("list") (text: STR) => LIST_STR, [TRAPS ALLOCATES], text::chars;
    /// The bytes as integers.
    ListOfBytes "list_of_bytes" Function("list") (bytes: BYTES) => LIST_INT, [TRAPS ALLOCATES], bytes::to_list;
    /// The keys of a dict in order of insertion.
    ListOfDict "list_of_dict" Function("list") (dict: DICT_KV) => LIST_K, [TRAPS READS ALLOCATES], dict::keys;
    /// A new list of the elements in order; equal ones stay as they stood.
    Sorted "sorted" Function("sorted") (list: LIST_ORDERED_T) => LIST_ORDERED_T, [TRAPS READS ALLOCATES], list::sorted;
    /// A new list of the elements in order, from the greatest where reverse (given by name) is true.
    SortedReverse "sorted_reverse" Function("sorted") (list: LIST_ORDERED_T, reverse: BOOL) => LIST_ORDERED_T, [TRAPS READS ALLOCATES], list::sorted;
    /// A new list of the elements from the last to the first.
    Reversed "reversed" Function("reversed") (list: LIST_T) => LIST_T, [TRAPS READS ALLOCATES], list::reversed;
    /// The integers from 0 up to a stop as a list.
    Range "range" Function("range") (stop: INT) => LIST_INT, [TRAPS ALLOCATES], list::range;
    /// The integers from a start up to a stop as a list.
    RangeFrom "range_from" Function("range") (start: INT, stop: INT) => LIST_INT, [TRAPS ALLOCATES], list::range;
    /// The integers from a start to before a stop in steps as a list.
    RangeStep "range_step" Function("range") (start: INT, stop: INT, step: INT) => LIST_INT, [TRAPS ALLOCATES], list::range;
    /// Whether one of the elements is true.
    AnyOf "any" Function("any") (list: LIST_BOOL) => BOOL, [READS], list::any;
    /// Whether all elements are true.
    AllOf "all" Function("all") (list: LIST_BOOL) => BOOL, [READS], list::all;
    /// Pairs of the elements of two lists, as many as the shorter one has.
    Zip "zip" Function("zip") (a: LIST_T, b: LIST_U) => LIST_PAIR_TU, [TRAPS READS ALLOCATES], list::zip;
    /// Pairs of position and element.
    Enumerate "enumerate" Function("enumerate") (list: LIST_T) => LIST_PAIR_INT_T, [TRAPS READS ALLOCATES], list::enumerate;
    /// Pairs of position, counted from a start, and element.
    EnumerateFrom "enumerate_from" Function("enumerate") (list: LIST_T, start: INT) => LIST_PAIR_INT_T, [TRAPS READS ALLOCATES], list::enumerate;
    /// Appends an element.
    ListAppend "list_append" Method("append") (list: LIST_T, element: T) => NONE, [TRAPS WRITES ALLOCATES], list::append;
    /// Removes the last element and gives it; traps on an empty list.
    ListPop "list_pop" Method("pop") (list: LIST_T) => T, [TRAPS READS WRITES], list::pop;
    /// Removes the element at an index and gives it; traps outside.
    ListPopAt "list_pop_at" Method("pop") (list: LIST_T, index: INT) => T, [TRAPS READS WRITES], list::pop_at;
    /// Puts an element before an index, which is cut to the list's length.
    ListInsert "list_insert" Method("insert") (list: LIST_T, index: INT, element: T) => NONE, [TRAPS WRITES ALLOCATES], list::insert;
    /// Appends the elements of a list.
    ListExtend "list_extend" Method("extend") (list: LIST_T, other: LIST_T) => NONE, [TRAPS READS WRITES ALLOCATES], list::extend;
    /// Removes the first element that equals a value; traps where there is none.
    ListRemove "list_remove" Method("remove") (list: LIST_T, value: T) => NONE, [TRAPS READS WRITES], list::remove;
    /// The index of the first element that equals a value; traps where there is none.
    ListIndex "list_index" Method("index") (list: LIST_T, value: T) => INT, [TRAPS READS], list::index;
    /// The index of the first element from a start on that equals a value; traps where there is none.
    ListIndexFrom "list_index_from" Method("index") (list: LIST_T, value: T, start: INT) => INT, [TRAPS READS], list::index;
    /// The index of the first element between start and stop that equals a value; traps where there is none.
    ListIndexIn "list_index_in" Method("index") (list: LIST_T, value: T, start: INT, stop: INT) => INT, [TRAPS READS], list::index;
    /// How many elements equal a value.
    ListCount "list_count" Method("count") (list: LIST_T, value: T) => INT, [TRAPS READS], list::count;
    /// Turns the order of the elements round.
    ListReverse "list_reverse" Method("reverse") (list: LIST_T) => NONE, [TRAPS READS WRITES], list::reverse;
    /// Puts the elements in order; equal ones stay as they stood.
    ListSort "list_sort" Method("sort") (list: LIST_ORDERED_T) => NONE, [TRAPS READS WRITES], list::sort;
    /// Puts the elements in order, from the greatest where reverse (given by name) is true.
    ListSortReverse "list_sort_reverse" Method("sort") (list: LIST_ORDERED_T, reverse: BOOL) => NONE, [TRAPS READS WRITES], list::sort;
    /// A new list of the elements in the order of their keys, of which there are as many, from the greatest key where
    /// reverse is true; those with equal keys stay as they stood.
    ListSortedBy "list_sorted_by" Syntax (list: LIST_T, keys: LIST_ORDERED_U, reverse: BOOL) => LIST_T, [TRAPS READS ALLOCATES], list::sorted_by;
    /// The first of the elements with the least key; traps where there is none.
    ListMinBy "list_min_by" Syntax (list: LIST_T, keys: LIST_ORDERED_U) => T, [TRAPS READS], list::min_by;
    /// The first of the elements with the greatest key; traps where there is none.
    ListMaxBy "list_max_by" Syntax (list: LIST_T, keys: LIST_ORDERED_U) => T, [TRAPS READS], list::max_by;
    /// Removes all elements.
    ListClear "list_clear" Method("clear") (list: LIST_T) => NONE, [TRAPS WRITES], list::clear;
    /// A new list with the same elements, by the method.
    ListCopy "list_copy" Method("copy") (list: LIST_T) => LIST_T, [TRAPS READS ALLOCATES], list::copy;
    /// A new list of the elements of both.
    ListConcat "list_concat" Syntax (a: LIST_T, b: LIST_T) => LIST_T, [TRAPS READS ALLOCATES], list::concat;
    /// A new list of the elements this many times.
    ListRepeat "list_repeat" Syntax (list: LIST_T, count: INT) => LIST_T, [TRAPS READS ALLOCATES], list::repeat;
    /// Repeats the elements of a list in place, as `*=` does.
    ListRepeatInPlace "list_repeat_in_place" Syntax (list: LIST_T, count: INT) => NONE, [TRAPS READS WRITES ALLOCATES], list::repeat_in_place;
    /// Whether an element equals a value.
    ListContains "list_contains" Syntax (list: LIST_T, value: T) => BOOL, [TRAPS READS], list::contains;
    /// A new list of what `start:stop:step` selects; what is absent is the least int.
    ListSlice "list_slice" Syntax (list: LIST_T, start: INT, stop: INT, step: INT) => LIST_T, [TRAPS READS ALLOCATES], list::slice;
    /// Removes the element at an index, a negative one counting from the end; traps outside.
    ListDelete "list_delete" Syntax (list: LIST_T, index: INT) => NONE, [TRAPS WRITES], list::delete;
    /// Removes what `start:stop:step` selects.
    ListDeleteSlice "list_delete_slice" Syntax (list: LIST_T, start: INT, stop: INT, step: INT) => NONE, [TRAPS WRITES], list::slice_delete;
    /// Replaces what `start:stop:step` selects by the elements of a list; traps where a step other than 1 selects another number.
    ListSetSlice "list_set_slice" Syntax (list: LIST_T, start: INT, stop: INT, step: INT, with: LIST_T) => NONE, [TRAPS READS WRITES ALLOCATES], list::slice_set;

    // Dicts.
    /// The number of entries.
    DictLen "dict_len_of" Function("len") (dict: DICT_KV) => INT, [READS], dict::len;
    /// A new dict with the same entries.
    DictOfDict "dict_of_dict" Function("dict") (dict: DICT_KV) => DICT_KV, [TRAPS READS ALLOCATES], dict::copy;
    /// A dict of these pairs of key and value, the later of two equal keys winning.
    DictOfPairs "dict_of_pairs" Function("dict") (pairs: LIST_PAIR_KV) => DICT_KV, [TRAPS READS ALLOCATES], dict::of_pairs;
    /// The value under a key, or the default.
    DictGetOr "dict_get_or" Method("get") (dict: DICT_KV, key: K, default: V) => V, [READS], dict::get_or;
    /// Removes the entry with a key and gives its value; traps where there is none.
    DictPop "dict_pop" Method("pop") (dict: DICT_KV, key: K) => V, [TRAPS READS WRITES], dict::pop;
    /// Removes the entry with a key and gives its value, or the default where there is none.
    DictPopOr "dict_pop_or" Method("pop") (dict: DICT_KV, key: K, default: V) => V, [READS WRITES], dict::pop_or;
    /// Removes the last entry and gives its key and value; traps on an empty dict.
    DictPopItem "dict_popitem" Method("popitem") (dict: DICT_KV) => PAIR_KV, [TRAPS READS WRITES ALLOCATES], dict::pop_item;
    /// The keys in order of insertion, as a new list.
    DictKeys "dict_keys" Method("keys") (dict: DICT_KV) => LIST_K, [TRAPS READS ALLOCATES], dict::keys;
    /// The values in order of insertion, as a new list.
    DictValues "dict_values" Method("values") (dict: DICT_KV) => LIST_V, [TRAPS READS ALLOCATES], dict::values;
    /// Pairs of key and value in order of insertion, as a new list.
    DictItems "dict_items" Method("items") (dict: DICT_KV) => LIST_PAIR_KV, [TRAPS READS ALLOCATES], dict::items;
    /// Puts all entries of another dict.
    DictUpdate "dict_update" Method("update") (dict: DICT_KV, other: DICT_KV) => NONE, [TRAPS READS WRITES ALLOCATES], dict::update;
    /// The value under a key, which gets the default where it has none.
    DictSetDefault "dict_setdefault" Method("setdefault") (dict: DICT_KV, key: K, default: V) => V, [TRAPS READS WRITES ALLOCATES], dict::set_default;
    /// A new dict with the same entries, by the method.
    DictCopy "dict_copy" Method("copy") (dict: DICT_KV) => DICT_KV, [TRAPS READS ALLOCATES], dict::copy;
    /// Removes all entries.
    DictClear "dict_clear" Method("clear") (dict: DICT_KV) => NONE, [WRITES], dict::clear;
    /// Removes the entry with a key; traps where there is none.
    DictDelete "dict_delete" Syntax (dict: DICT_KV, key: K) => NONE, [TRAPS READS WRITES], dict::delete;
    /// A new dict of the entries of both, the second winning.
    DictMerge "dict_merge" Syntax (a: DICT_KV, b: DICT_KV) => DICT_KV, [TRAPS READS ALLOCATES], dict::merge;

    // Sets, frozen or not.
    /// The number of elements.
    SetLen "set_len" Function("len") (set: ANY_SET_T) => INT, [READS], set::len;
    /// A set of the elements of a list.
    SetOfList "set_of_list" Function("set") (list: LIST_HASHABLE_T) => SET_T, [TRAPS READS ALLOCATES], set::of_list;
    /// A set of the elements of a set of either kind.
    SetOfSet "set_of_set" Function("set") (set: ANY_SET_T) => SET_T, [TRAPS READS ALLOCATES], set::copy;
    /// A frozen set of the elements of a list.
    FrozenSetOfList "frozenset_of_list" Function("frozenset") (list: LIST_HASHABLE_T) => FROZEN_SET_T, [TRAPS READS ALLOCATES], set::of_list;
    /// A frozen set of the elements of a set of either kind.
    FrozenSetOfSet "frozenset_of_set" Function("frozenset") (set: ANY_SET_T) => FROZEN_SET_T, [TRAPS READS ALLOCATES], set::copy;
    /// The elements of a set in order of insertion.
    ListOfSet "list_of_set" Function("list") (set: ANY_SET_T) => LIST_T, [TRAPS READS ALLOCATES], set::to_list;
    /// Whether a set has an element.
    SetContains "set_contains" Syntax (set: ANY_SET_T, element: T) => BOOL, [READS], set::contains;
    /// The position of the first element at or after this position in the order of insertion, or -1. Positions stay as they are until an element is added or removed.
    SetNext "set_next" Syntax (set: ANY_SET_T, position: INT) => INT, [READS], set::next;
    /// The element at this position; traps where there is none.
    SetAt "set_at" Syntax (set: ANY_SET_T, position: INT) => T, [TRAPS READS], set::at;
    /// Adds an element, if it is not there.
    SetAdd "set_add" Method("add") (set: SET_T, element: T) => NONE, [TRAPS READS WRITES ALLOCATES], set::add;
    /// Removes an element; traps where it is not there.
    SetRemove "set_remove" Method("remove") (set: SET_T, element: T) => NONE, [TRAPS READS WRITES], set::remove;
    /// Removes an element, if it is there.
    SetDiscard "set_discard" Method("discard") (set: SET_T, element: T) => NONE, [READS WRITES], set::discard;
    /// Removes the element that has been there longest and gives it; traps on an empty set.
    SetPop "set_pop" Method("pop") (set: SET_T) => T, [TRAPS READS WRITES], set::pop;
    /// Removes all elements.
    SetClear "set_clear" Method("clear") (set: SET_T) => NONE, [WRITES], set::clear;
    /// A new set of the same kind with the same elements.
    SetCopy "set_copy" Method("copy") (set: ANY_SET_T) => ANY_SET_T, [TRAPS READS ALLOCATES], set::copy;
    /// Adds the elements of another set.
    SetUpdate "set_update" Method("update") (set: SET_T, other: OTHER_SET_T) => NONE, [TRAPS READS WRITES ALLOCATES], set::update;
    /// Removes what another set does not have.
    SetIntersectionUpdate "set_intersection_update" Method("intersection_update") (set: SET_T, other: OTHER_SET_T) => NONE, [READS WRITES], set::intersection_update;
    /// Removes what another set has.
    SetDifferenceUpdate "set_difference_update" Method("difference_update") (set: SET_T, other: OTHER_SET_T) => NONE, [READS WRITES], set::difference_update;
    /// Removes what another set has too, and adds what only that one has.
    SetSymmetricUpdate "set_symmetric_difference_update" Method("symmetric_difference_update") (set: SET_T, other: OTHER_SET_T) => NONE, [TRAPS READS WRITES ALLOCATES], set::symmetric_difference_update;
    /// A new set of the elements of both, of the kind of the first.
    SetUnion "set_union" Method("union") (set: ANY_SET_T, other: OTHER_SET_T) => ANY_SET_T, [TRAPS READS ALLOCATES], set::union;
    /// A new set of the elements that both have, of the kind of the first.
    SetIntersection "set_intersection" Method("intersection") (set: ANY_SET_T, other: OTHER_SET_T) => ANY_SET_T, [TRAPS READS ALLOCATES], set::intersection;
    /// A new set of the elements that only the first has, of the kind of the first.
    SetDifference "set_difference" Method("difference") (set: ANY_SET_T, other: OTHER_SET_T) => ANY_SET_T, [TRAPS READS ALLOCATES], set::difference;
    /// A new set of the elements that one of them has and the other has not, of the kind of the first.
    SetSymmetricDifference "set_symmetric_difference" Method("symmetric_difference") (set: ANY_SET_T, other: OTHER_SET_T) => ANY_SET_T, [TRAPS READS ALLOCATES], set::symmetric_difference;
    /// Whether another set has all elements.
    SetIsSubset "set_issubset" Method("issubset") (set: ANY_SET_T, other: OTHER_SET_T) => BOOL, [READS], set::is_subset;
    /// Whether it has all elements of another set.
    SetIsSuperset "set_issuperset" Method("issuperset") (set: ANY_SET_T, other: OTHER_SET_T) => BOOL, [READS], set::is_superset;
    /// Whether another set has none of the elements.
    SetIsDisjoint "set_isdisjoint" Method("isdisjoint") (set: ANY_SET_T, other: OTHER_SET_T) => BOOL, [READS], set::is_disjoint;
    /// Whether the second set has all elements of the first, and others.
    SetIsProperSubset "set_is_proper_subset" Syntax (a: ANY_SET_T, b: OTHER_SET_T) => BOOL, [READS], set::is_proper_subset;
    /// Whether two sets, of either kind, have the same elements.
    SetEqual "set_equal" Syntax (a: ANY_SET_T, b: OTHER_SET_T) => BOOL, [READS], set::equal;

    // Tuples of any length.
    /// The number of elements.
    TupleLen "tuple_len" Function("len") (tuple: TUPLE_OF_T) => INT, [READS], list::len;
    /// A tuple of the elements of a list.
    TupleOfList "tuple_of_list" Function("tuple") (list: LIST_T) => TUPLE_OF_T, [TRAPS READS ALLOCATES], list::copy;
    /// The tuple itself.
    TupleOfTuple "tuple_of_tuple" Function("tuple") (tuple: TUPLE_OF_T) => TUPLE_OF_T, [READS], number::same;
    /// The elements of a tuple as a list.
    ListOfTuple "list_of_tuple" Function("list") (tuple: TUPLE_OF_T) => LIST_T, [TRAPS READS ALLOCATES], list::copy;
    /// The element at this index, a negative one counting from the end; traps outside.
    TupleGet "tuple_get" Syntax (tuple: TUPLE_OF_T, index: INT) => T, [TRAPS READS], list::tuple_get;
    /// A new tuple of what `start:stop:step` selects; what is absent is the least int.
    TupleSlice "tuple_slice" Syntax (tuple: TUPLE_OF_T, start: INT, stop: INT, step: INT) => TUPLE_OF_T, [TRAPS READS ALLOCATES], list::slice;
    /// A new tuple of the elements of both.
    TupleConcat "tuple_concat" Syntax (a: TUPLE_OF_T, b: TUPLE_OF_T) => TUPLE_OF_T, [TRAPS READS ALLOCATES], list::concat;
    /// A new tuple of the elements this many times.
    TupleRepeat "tuple_repeat" Syntax (tuple: TUPLE_OF_T, count: INT) => TUPLE_OF_T, [TRAPS READS ALLOCATES], list::repeat;
    /// Whether an element equals a value.
    TupleContains "tuple_contains" Syntax (tuple: TUPLE_OF_T, value: T) => BOOL, [TRAPS READS], list::contains;
    /// The index of the first element that equals a value; traps where there is none.
    TupleIndex "tuple_index" Method("index") (tuple: TUPLE_OF_T, value: T) => INT, [TRAPS READS], list::tuple_index;
    /// How many elements equal a value.
    TupleCount "tuple_count" Method("count") (tuple: TUPLE_OF_T, value: T) => INT, [TRAPS READS], list::count;

    // What the rows above leave out.
    /// The number of true ones in a list.
    SumBools "sum_bools" Function("sum") (list: LIST_BOOL) => INT, [READS], number::sum_ints;
    /// The first element of a list that no other is less than, or the default (given by name) where there is none.
    MinListOr "min_list_or" Function("min") (list: LIST_ORDERED_T, default: ORDERED_T) => ORDERED_T, [TRAPS READS], any::min_list;
    /// The first element of a list that no other is greater than, or the default (given by name) where there is none.
    MaxListOr "max_list_or" Function("max") (list: LIST_ORDERED_T, default: ORDERED_T) => ORDERED_T, [TRAPS READS], any::max_list;
    /// The text of a value as source would write it in ASCII.
    Ascii "ascii" Function("ascii") (value: T) => STR, [TRAPS READS ALLOCATES], any::ascii;
    /// Whether `repr` shows all characters as they are.
    StrIsPrintable "str_isprintable" Method("isprintable") (text: STR) => BOOL, [], text::is_printable;
    /// The text with tabs as spaces up to the next multiple of 8.
    StrExpandtabs "str_expandtabs" Method("expandtabs") (text: STR) => STR, [TRAPS ALLOCATES], text::expandtabs;
    /// The text with tabs as spaces up to the next multiple of this size.
    StrExpandtabsSize "str_expandtabs_size" Method("expandtabs") (text: STR, tabsize: INT) => STR, [TRAPS ALLOCATES], text::expandtabs;
    /// Where the part last stands from a start on; traps where it does not.
    StrRindexOfFrom "str_rindex_of_from" Method("rindex") (text: STR, sub: STR, start: INT) => INT, [TRAPS], text::rfind_or_fail;
    /// Whether a part of the text from a start to an end begins with a prefix.
    StrStartsWithIn "str_startswith_in" Method("startswith") (text: STR, prefix: STR, start: INT, end: INT) => BOOL, [], text::starts_with;
    /// Whether the text from a start on ends with a suffix.
    StrEndsWithFrom "str_endswith_from" Method("endswith") (text: STR, suffix: STR, start: INT) => BOOL, [], text::ends_with;
    /// Whether the part from a start to an end ends with a suffix.
    StrEndsWithIn "str_endswith_in" Method("endswith") (text: STR, suffix: STR, start: INT, end: INT) => BOOL, [], text::ends_with;
    /// The table for `translate` that makes the first characters the second ones: a code point for each.
    StrMakeTrans "str_maketrans" Function("str.maketrans") (x: STR, y: STR) => DICT_INT_STR, [TRAPS ALLOCATES], text::make_trans;
    /// As with two texts, and the third one's characters are removed.
    StrMakeTransRemove "str_maketrans_remove" Function("str.maketrans") (x: STR, y: STR, z: STR) => DICT_INT_STR, [TRAPS ALLOCATES], text::make_trans;
    /// The table for `translate` that replaces characters by texts.
    StrMakeTransDict "str_maketrans_dict" Function("str.maketrans") (x: DICT_STR_STR) => DICT_INT_STR, [TRAPS READS ALLOCATES], text::make_trans_dict;
    /// The text with each character that the table has replaced.
    StrTranslate "str_translate" Method("translate") (text: STR, table: DICT_INT_STR) => STR, [TRAPS READS ALLOCATES], text::translate;
    /// The bytes that hexadecimal digits write, white space between them ignored.
    BytesFromHex "bytes_fromhex" Function("bytes.fromhex") (string: STR) => BYTES, [TRAPS ALLOCATES], bytes::from_hex;
    /// The text for comparing without regard to case.
    StrCasefold "str_casefold" Method("casefold") (text: STR) => STR, [TRAPS ALLOCATES], text::casefold;
    /// The bytes without any of these at both ends.
    BytesStripChars "bytes_strip_chars" Method("strip") (bytes: BYTES, chars: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::strip;
    /// The bytes without ASCII white space at the beginning.
    BytesLstrip "bytes_lstrip" Method("lstrip") (bytes: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::lstrip;
    /// The bytes without any of these at the beginning.
    BytesLstripChars "bytes_lstrip_chars" Method("lstrip") (bytes: BYTES, chars: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::lstrip;
    /// The bytes without ASCII white space at the end.
    BytesRstrip "bytes_rstrip" Method("rstrip") (bytes: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::rstrip;
    /// The bytes without any of these at the end.
    BytesRstripChars "bytes_rstrip_chars" Method("rstrip") (bytes: BYTES, chars: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::rstrip;
    /// The bytes with ASCII letters in upper case.
    BytesUpper "bytes_upper" Method("upper") (bytes: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::upper;
    /// The bytes with ASCII letters in lower case.
    BytesLower "bytes_lower" Method("lower") (bytes: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::lower;
    /// The bytes without this prefix, if they begin with it.
    BytesRemovePrefix "bytes_removeprefix" Method("removeprefix") (bytes: BYTES, prefix: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::remove_prefix;
    /// The bytes without this suffix, if they end with it.
    BytesRemoveSuffix "bytes_removesuffix" Method("removesuffix") (bytes: BYTES, suffix: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::remove_suffix;
    /// The parts between occurrences of a separator, at most so many of which are used.
    BytesSplitSepMax "bytes_split_sep_max" Method("split") (bytes: BYTES, sep: BYTES, maxsplit: INT) => LIST_BYTES, [TRAPS ALLOCATES], bytes::split;
    /// What stands before the first separator, the separator, and what follows.
    BytesPartition "bytes_partition" Method("partition") (bytes: BYTES, sep: BYTES) => TRIPLE_BYTES, [TRAPS ALLOCATES], bytes::partition;
    /// Whether the bytes are not empty and all ASCII digits.
    BytesIsDigit "bytes_isdigit" Method("isdigit") (bytes: BYTES) => BOOL, [], bytes::is_digit;
    /// An integer as so many bytes, the first one first ("big") or last ("little"); traps where it does not fit or is negative.
    IntToBytes "int_to_bytes" Method("to_bytes") (value: INT, length: INT, byteorder: STR) => BYTES, [TRAPS ALLOCATES], number::to_bytes;
    /// An integer as so many bytes, in two's complement where signed (given by name) is true.
    IntToBytesSigned "int_to_bytes_signed" Method("to_bytes") (value: INT, length: INT, byteorder: STR, signed: BOOL) => BYTES, [TRAPS ALLOCATES], number::to_bytes;
    /// The integer that bytes write, the first one first ("big") or last ("little"); traps where it does not fit 64 bits.
    IntFromBytes "int_from_bytes" Function("int.from_bytes") (bytes: BYTES, byteorder: STR) => INT, [TRAPS], number::from_bytes;
    /// The integer that bytes write, in two's complement where signed (given by name) is true.
    IntFromBytesSigned "int_from_bytes_signed" Function("int.from_bytes") (bytes: BYTES, byteorder: STR, signed: BOOL) => INT, [TRAPS], number::from_bytes;
    /// The integer itself, as a floor.
    FloorInt "math_floor_int" Function("math.floor") (x: INT) => INT, [], number::same;
    /// The integer itself, as a ceiling.
    CeilInt "math_ceil_int" Function("math.ceil") (x: INT) => INT, [], number::same;
    /// The integer itself, truncated.
    TruncInt "math_trunc_int" Function("math.trunc") (x: INT) => INT, [], number::same;
    /// The least common multiple; traps on overflow.
    Lcm "math_lcm" Function("math.lcm") (a: INT, b: INT) => INT, [TRAPS], math::lcm;
    /// The product of the integers up to a number; traps on a negative one and on overflow.
    Factorial "math_factorial" Function("math.factorial") (n: INT) => INT, [TRAPS], math::factorial;
    /// How many ways there are to choose k of n without order; traps on negative numbers and on overflow.
    Comb "math_comb" Function("math.comb") (n: INT, k: INT) => INT, [TRAPS], math::comb;
    /// How many ways there are to choose k of n in order; traps on negative numbers and on overflow.
    Perm "math_perm" Function("math.perm") (n: INT, k: INT) => INT, [TRAPS], math::perm;
    /// The product of the integers of a list; traps on overflow.
    ProdInts "math_prod_ints" Function("math.prod") (list: LIST_INT) => INT, [TRAPS READS], math::prod_ints;
    /// The product of the floats of a list.
    ProdFloats "math_prod_floats" Function("math.prod") (list: LIST_FLOAT) => FLOAT, [READS], math::prod_floats;
    /// Whether two floats differ by no more than a billionth of the larger one.
    IsClose "math_isclose" Function("math.isclose") (a: FLOAT, b: FLOAT) => BOOL, [TRAPS], math::is_close;
    /// Whether two floats differ by no more than this part (given by name) of the larger one.
    IsCloseRel "math_isclose_rel" Function("math.isclose") (a: FLOAT, b: FLOAT, rel_tol: FLOAT) => BOOL, [TRAPS], math::is_close;
    /// Whether two floats differ by no more than a part of the larger one, or a number (both given by name).
    IsCloseBoth "math_isclose_both" Function("math.isclose") (a: FLOAT, b: FLOAT, rel_tol: FLOAT, abs_tol: FLOAT) => BOOL, [TRAPS], math::is_close;
    /// The natural logarithm of a number plus 1; traps on what is not above -1.
    Log1p "math_log1p" Function("math.log1p") (x: FLOAT) => FLOAT, [TRAPS], math::log1p;
    /// The power of e minus 1; traps on overflow.
    Expm1 "math_expm1" Function("math.expm1") (x: FLOAT) => FLOAT, [TRAPS], math::expm1;

    /// A text in an encoding, where errors says what becomes of a character that it does not have: strict, ignore, replace, backslashreplace or xmlcharrefreplace.
    StrEncodeErrors "str_encode_errors" Method("encode") (text: STR, encoding: STR, errors: STR) => BYTES, [TRAPS ALLOCATES], text::encode_errors;
    /// The text that bytes write in an encoding, where errors says what becomes of bytes that write none: strict, ignore, replace or backslashreplace.
    BytesDecodeErrors "bytes_decode_errors" Method("decode") (bytes: BYTES, encoding: STR, errors: STR) => STR, [TRAPS ALLOCATES], bytes::decode_errors;
    /// Whether the text is not empty and all its characters have a numeric value.
    StrIsNumeric "str_isnumeric" Method("isnumeric") (text: STR) => BOOL, [], text::is_numeric;
    /// Whether the text could be a name of a program.
    StrIsIdentifier "str_isidentifier" Method("isidentifier") (text: STR) => BOOL, [], text::is_identifier;
    /// Whether the bytes are not empty and all ASCII letters.
    BytesIsAlpha "bytes_isalpha" Method("isalpha") (bytes: BYTES) => BOOL, [], bytes::is_alpha;
    /// Whether the bytes are not empty and all ASCII letters or digits.
    BytesIsAlnum "bytes_isalnum" Method("isalnum") (bytes: BYTES) => BOOL, [], bytes::is_alnum;
    /// Whether all bytes are ASCII.
    BytesIsAscii "bytes_isascii" Method("isascii") (bytes: BYTES) => BOOL, [], bytes::is_ascii;
    /// Whether the bytes are not empty and all ASCII white space.
    BytesIsSpace "bytes_isspace" Method("isspace") (bytes: BYTES) => BOOL, [], bytes::all_space;
    /// The bytes with others in front up to a width; none to fill with is a space.
    BytesRjust "bytes_rjust" Method("rjust") (bytes: BYTES, width: INT) => BYTES, [TRAPS ALLOCATES], bytes::rjust;
    /// The bytes with these in front up to a width.
    BytesRjustFill "bytes_rjust_fill" Method("rjust") (bytes: BYTES, width: INT, fillbyte: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::rjust;
    /// The bytes with spaces behind up to a width.
    BytesLjust "bytes_ljust" Method("ljust") (bytes: BYTES, width: INT) => BYTES, [TRAPS ALLOCATES], bytes::ljust;
    /// The bytes with these behind up to a width.
    BytesLjustFill "bytes_ljust_fill" Method("ljust") (bytes: BYTES, width: INT, fillbyte: BYTES) => BYTES, [TRAPS ALLOCATES], bytes::ljust;
    /// The bytes with zeros in front, behind a sign, up to a width.
    BytesZfill "bytes_zfill" Method("zfill") (bytes: BYTES, width: INT) => BYTES, [TRAPS ALLOCATES], bytes::zfill;

    /// What a template of `str.format` is made of, for values of these names: for each field the text before it, the index of its name, its conversion and its format; then the text at the end, with three empty texts. Traps where it is no template, or names what is not there.
    TemplateFields "template_fields" Syntax (template: STR, names: LIST_STR) => LIST_STR, [TRAPS READS ALLOCATES], text::template_fields;

    // JSON.
    /// A value as JSON text, in the form of `ir::json`, and an empty text; where it has no such form, no bytes and why: it contains itself, or is nested too deep.
    JsonWrite "json_write" Syntax (value: T) => PAIR_BYTES_STR, [TRAPS READS ALLOCATES], json::write;
    /// Appends the value that JSON text is, read as an element of the list, and gives an empty text; where the text is no such value, appends nothing and says where, what was expected and what was found.
    JsonRead "json_read" Syntax (into: LIST_T, data: BYTES) => STR, [TRAPS READS WRITES ALLOCATES], json::read;
}
