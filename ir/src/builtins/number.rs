//! Bodies of the builtins on numbers: conversions, rounding, and what Python's number types do beyond operators.

use super::args::{float, int, overflow, value_error};
use super::machine::{Call, Machine};
use super::unicode;
use crate::eval;
use crate::structural::{float_repr, str_repr};
use crate::trap::{Fault, TrapKind};
use std::cmp::Ordering;

type Result64 = Result<u64, Fault>;

pub(super) fn abs_int(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let value = int(a[0]);
    let abs = value.checked_abs().ok_or_else(|| overflow(format!("abs({value}) does not fit 64 bits")))?;
    Ok(abs as u64)
}

pub(super) fn abs_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float(a[0]).abs().to_bits())
}

/// Gives its first argument as it is: conversions of a type to itself, and of `bool` to `int`.
pub(super) fn same(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(a[0])
}

/// Whether the first byte comes first.
fn big_endian(m: &dyn Machine, order: u64) -> Result<bool, Fault> {
    match m.str(order) {
        "big" => Ok(true),
        "little" => Ok(false),
        _ => Err(value_error("byteorder must be either 'little' or 'big'")),
    }
}

pub(super) fn to_bytes(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (value, length) = (int(a[0]), int(a[1]));
    let big = big_endian(m, a[2])?;
    let length =
        usize::try_from(length).map_err(|_| value_error(format!("length argument must be non-negative: {length}")))?;
    let signed = a.get(3).is_some_and(|signed| *signed != 0);
    if value < 0 && !signed {
        return Err(overflow("can't convert negative int to unsigned"));
    }
    let bits = if value < 0 { 64 - (!value).leading_zeros() } else { 64 - value.leading_zeros() };
    if length < 9 && (bits + u32::from(signed && !matches!(value, 0 | -1))) as usize > length * 8 {
        return Err(overflow(format!("int too big to convert: {value} does not fit {length} bytes")));
    }
    super::args::fits(m, 1, length)?;
    let mut bytes = vec![if value < 0 { 0xff } else { 0 }; length];
    for (place, byte) in bytes.iter_mut().zip(value.to_le_bytes()) {
        *place = byte;
    }
    if big {
        bytes.reverse();
    }
    m.new_bytes(&bytes)
}

pub(super) fn from_bytes(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let big = big_endian(m, a[1])?;
    let mut bytes = m.bytes(a[0]).to_vec();
    if big {
        bytes.reverse();
    }
    let signed = a.get(2).is_some_and(|signed| *signed != 0);
    let negative = signed && bytes.last().is_some_and(|b| *b >= 0x80);
    let fill = if negative { 0xff } else { 0 };
    let mut word = [fill; 8];
    word.iter_mut().zip(&bytes).for_each(|(place, byte)| *place = *byte);
    let value = i64::from_le_bytes(word);
    if bytes.iter().skip(8).any(|b| *b != fill) || (value < 0) != negative {
        return Err(overflow("int.from_bytes(…) does not fit 64 bits"));
    }
    Ok(value as u64)
}

pub(super) fn int_of_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float_to_int(float(a[0]))? as u64)
}

/// Truncated, with CPython's words for what is no integer at all.
pub(super) fn float_to_int(value: f64) -> Result<i64, Fault> {
    if value.is_nan() {
        return Err(value_error("cannot convert float NaN to integer"));
    }
    if value.is_infinite() {
        return Err(overflow("cannot convert float infinity to integer"));
    }
    eval::float_to_int(value)
}

pub(super) fn int_of_str(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    parse_int(m.str(a[0]), 10)
}

pub(super) fn int_of_str_base(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let base = int(a[1]);
    match u32::try_from(base) {
        Ok(base @ (0 | 2..=36)) => parse_int(m.str(a[0]), base),
        _ => Err(value_error(format!("int() base must be >= 2 and <= 36, or 0: {base}"))),
    }
}

fn parse_int(text: &str, base: u32) -> Result64 {
    let invalid = || value_error(format!("invalid literal for int() with base {base}: {}", str_repr(text)));
    let body = text.trim_matches(unicode::is_space);
    let (negative, mut digits) = match body.as_bytes().first() {
        Some(b'-') => (true, &body[1..]),
        Some(b'+') => (false, &body[1..]),
        _ => (false, body),
    };
    let mut radix = base;
    let prefix = match digits.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 0,
    };
    if prefix != 0 && (base == 0 || base == prefix) {
        // One underscore may follow the prefix.
        digits = digits[2..].strip_prefix('_').unwrap_or(&digits[2..]);
        radix = prefix;
    } else if base == 0 {
        radix = 10;
        // As in source, where 010 is refused.
        if digits.starts_with('0') && digits.contains(|c: char| c != '0' && c != '_') {
            return Err(invalid());
        }
    }
    let (mut total, mut fits, mut last_was_digit) = (0i64, true, false);
    for c in digits.chars() {
        if c == '_' {
            if !last_was_digit {
                return Err(invalid());
            }
            last_was_digit = false;
            continue;
        }
        let digit = unicode::decimal(c).map(u32::from).or_else(|| c.to_digit(36)).filter(|d| *d < radix);
        let digit = i64::from(digit.ok_or_else(invalid)?);
        last_was_digit = true;
        // Counted downwards, since there is one more negative integer than positive ones.
        match total.checked_mul(i64::from(radix)).and_then(|t| t.checked_sub(digit)) {
            Some(next) => total = next,
            None => fits = false,
        }
    }
    if !last_was_digit {
        return Err(invalid());
    }
    let value = if negative { Some(total) } else { total.checked_neg() };
    match value {
        Some(value) if fits => Ok(value as u64),
        _ => Err(overflow(format!("int({}) does not fit 64 bits", str_repr(text)))),
    }
}

pub(super) fn float_of_int(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(eval::int_to_float(int(a[0])).to_bits())
}

pub(super) fn float_of_str(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = m.str(a[0]);
    let invalid = || value_error(format!("could not convert string to float: {}", str_repr(text)));
    let body = text.trim_matches(unicode::is_space);
    let mut ascii = String::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        let digit = |c: char| unicode::decimal(c).is_some();
        match unicode::decimal(c) {
            Some(value) => ascii.push(char::from(b'0' + value)),
            None if c == '_' => {
                let between = ascii.ends_with(|c: char| c.is_ascii_digit()) && chars.peek().is_some_and(|c| digit(*c));
                if !between {
                    return Err(invalid());
                }
            }
            None => ascii.push(c),
        }
    }
    let value: f64 = ascii.parse().map_err(|_| invalid())?;
    Ok(value.to_bits())
}

pub(super) fn min_int(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(int(a[0]).min(int(a[1])) as u64)
}

pub(super) fn max_int(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(int(a[0]).max(int(a[1])) as u64)
}

pub(super) fn round_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float_to_int(float(a[0]).round_ties_even())? as u64)
}

/// `round(value, digits)`: rounds the exact value of the double, ties to even.
pub(super) fn round_float_digits(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (value, digits) = (float(a[0]), int(a[1]));
    // No double has digits after the 323rd place that rounding could touch, nor any before the 308th.
    if !value.is_finite() || digits > 323 {
        return Ok(value.to_bits());
    }
    if digits < -308 {
        return Ok((0.0 * value).to_bits());
    }
    let rounded: f64 = if digits >= 0 {
        format!("{value:.*}", digits as usize).parse().expect("a float's text is a float")
    } else {
        round_to_tens(value, -digits as usize)
    };
    if rounded.is_infinite() {
        return Err(overflow(format!("round({}, {digits}): rounded value too large to represent", float_repr(value))));
    }
    Ok(rounded.to_bits())
}

/// Rounds to a multiple of ten to the power of `places`, which is at least 1.
fn round_to_tens(value: f64, places: usize) -> f64 {
    // All decimal digits of the double, exactly.
    let exact = format!("{:.1080}", value.abs());
    let (whole, fraction) = exact.split_once('.').expect("the format has a point");
    let whole = format!("{whole:0>width$}", width = places + 1);
    let (kept, dropped) = whole.split_at(whole.len() - places);
    let half = format!("5{}", "0".repeat(places - 1));
    let up = match dropped.cmp(half.as_str()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => {
            fraction.bytes().any(|b| b != b'0') || kept.bytes().last().is_some_and(|b| (b - b'0') % 2 == 1)
        }
    };
    let mut digits = kept.as_bytes().to_vec();
    if up {
        let mut at = digits.len();
        loop {
            if at == 0 {
                digits.insert(0, b'1');
                break;
            }
            at -= 1;
            if digits[at] == b'9' {
                digits[at] = b'0';
            } else {
                digits[at] += 1;
                break;
            }
        }
    }
    let text = format!("{}e{places}", String::from_utf8_lossy(&digits));
    let magnitude: f64 = text.parse().expect("digits and an exponent are a float");
    magnitude.copysign(value)
}

/// `round(value, digits)` of an int: to tens where digits is negative, ties to even.
pub(super) fn round_int_digits(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (value, digits) = (int(a[0]), int(a[1]));
    if digits >= 0 {
        return Ok(a[0]);
    }
    // Half of 10^20 is more than any int of 64 bits.
    if digits < -19 {
        return Ok(0);
    }
    let unit = 10i128.pow(digits.unsigned_abs() as u32);
    let (quotient, rest) = (i128::from(value).div_euclid(unit), i128::from(value).rem_euclid(unit));
    let up = 2 * rest > unit || (2 * rest == unit && quotient % 2 != 0);
    let rounded = (quotient + i128::from(up)) * unit;
    let rounded =
        i64::try_from(rounded).map_err(|_| overflow(format!("round({value}, {digits}) does not fit 64 bits")))?;
    Ok(rounded as u64)
}

pub(super) fn divmod_int(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (x, y) = (int(a[0]), int(a[1]));
    let parts = [eval::ifloordiv(x, y)? as u64, eval::imod(x, y)? as u64];
    m.new_object(c.ret, &parts)
}

pub(super) fn divmod_float(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (x, y) = (float(a[0]), float(a[1]));
    let parts = [eval::ffloordiv(x, y)?.to_bits(), eval::fmod(x, y)?.to_bits()];
    m.new_object(c.ret, &parts)
}

pub(super) fn pow_int(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(eval::ipow(int(a[0]), int(a[1]))? as u64)
}

pub(super) fn pow_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(eval::fpow(float(a[0]), float(a[1]))?.to_bits())
}

/// `pow(base, exponent, modulus)`, with the sign of the modulus as `%` has it.
pub(super) fn pow_mod(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (base, exponent, modulus) = (int(a[0]), int(a[1]), int(a[2]));
    if modulus == 0 {
        return Err(value_error("pow() 3rd argument cannot be 0"));
    }
    let size = u128::from(modulus.unsigned_abs());
    let mut square = i128::from(base).rem_euclid(size as i128) as u128;
    if exponent < 0 {
        square = inverse(square, size).ok_or_else(|| value_error("base is not invertible for the given modulus"))?;
    }
    let mut left = exponent.unsigned_abs();
    let mut power = 1 % size;
    while left > 0 {
        if left & 1 == 1 {
            power = power * square % size;
        }
        square = square * square % size;
        left >>= 1;
    }
    let power = power as i128;
    let signed = if modulus < 0 && power != 0 { power - size as i128 } else { power };
    Ok(signed as i64 as u64)
}

/// The inverse of `value` modulo `size`, by Euclid's algorithm.
fn inverse(value: u128, size: u128) -> Option<u128> {
    let (mut a, mut b) = (value as i128, size as i128);
    let (mut x, mut y) = (1i128, 0i128);
    while b != 0 {
        let quotient = a / b;
        (a, b) = (b, a - quotient * b);
        (x, y) = (y, x - quotient * y);
    }
    (a == 1).then(|| x.rem_euclid(size as i128) as u128)
}

pub(super) fn ord(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let mut chars = m.str(a[0]).chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(u64::from(u32::from(c))),
        _ => {
            let len = m.str_len(a[0]);
            Err(value_error(format!("ord() expected a character, but string of length {len} found")))
        }
    }
}

pub(super) fn chr(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let code = int(a[0]);
    let code = u32::try_from(code).ok().filter(|code| *code <= 0x10ffff);
    let code = code.ok_or_else(|| value_error(format!("chr() arg not in range(0x110000): {}", int(a[0]))))?;
    let c = char::from_u32(code)
        .ok_or_else(|| value_error(format!("chr({code:#x}) is a surrogate, which text can't hold")))?;
    m.new_str(c.encode_utf8(&mut [0; 4]))
}

fn in_base(m: &mut dyn Machine, value: i64, digits: &str) -> Result64 {
    let sign = if value < 0 { "-" } else { "" };
    m.new_str(&format!("{sign}{digits}"))
}

pub(super) fn hex(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    in_base(m, int(a[0]), &format!("{:#x}", int(a[0]).unsigned_abs()))
}

pub(super) fn oct(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    in_base(m, int(a[0]), &format!("{:#o}", int(a[0]).unsigned_abs()))
}

pub(super) fn bin(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    in_base(m, int(a[0]), &format!("{:#b}", int(a[0]).unsigned_abs()))
}

pub(super) fn bit_length(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(64 - int(a[0]).unsigned_abs().leading_zeros()))
}

pub(super) fn bit_count(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(int(a[0]).unsigned_abs().count_ones()))
}

pub(super) fn is_integer(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(float(a[0]).is_finite() && float(a[0]).fract() == 0.0))
}

pub(super) fn sum_ints(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let start = if c.args.len() > 1 { int(a[1]) } else { 0 };
    let mut total = i128::from(start);
    // 2^63 summands of 64 bits fit 128 bits.
    (0..m.list_len(a[0])).for_each(|at| total += i128::from(int(m.list_get(a[0], at))));
    let total = i64::try_from(total)
        .map_err(|_| Fault::new(TrapKind::Overflow, format!("sum(…) = {total} does not fit 64 bits")))?;
    Ok(total as u64)
}

pub(super) fn sum_floats(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let start = if c.args.len() > 1 { float(a[1]) } else { 0.0 };
    let total = (0..m.list_len(a[0])).fold(start, |total, at| total + float(m.list_get(a[0], at)));
    Ok(total.to_bits())
}

/// An int beside a float, each as the number that it is: no int is rounded to a float first. `None` beside NaN.
fn int_beside_float(a: &[u64]) -> Option<Ordering> {
    // The least float above every int, and the negative of the least int.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let (int, float) = (int(a[0]), float(a[1]));
    if float.is_nan() {
        return None;
    }
    Some(if float >= END {
        Ordering::Less
    } else if float < -END {
        Ordering::Greater
    } else {
        // In this range the whole part is an int, exactly.
        let whole = float.trunc();
        int.cmp(&(whole as i64)).then(if whole < float {
            Ordering::Less
        } else if whole > float {
            Ordering::Greater
        } else {
            Ordering::Equal
        })
    })
}

pub(super) fn eq_int_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok((int_beside_float(a) == Some(Ordering::Equal)).into())
}

pub(super) fn lt_int_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok((int_beside_float(a) == Some(Ordering::Less)).into())
}

pub(super) fn le_int_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(int_beside_float(a).is_some_and(Ordering::is_le).into())
}

pub(super) fn gt_int_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok((int_beside_float(a) == Some(Ordering::Greater)).into())
}

pub(super) fn ge_int_float(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(int_beside_float(a).is_some_and(Ordering::is_ge).into())
}
