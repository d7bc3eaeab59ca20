//! Python's format mini-language, `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`, for ints, floats, bools and
//! text. Type `n` is as in the C locale.

use super::args::{fits, float, int, overflow, value_error};
use super::machine::{Call, Machine};
use crate::structural::{float_repr, str_repr};
use crate::trap::Fault;

type Result64 = Result<u64, Fault>;

/// A parsed format specification.
#[derive(Debug, Default, PartialEq)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    no_negative_zero: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(text: &str, of: &str) -> Result<Spec, Fault> {
    let invalid = || value_error(format!("Invalid format specifier {} for object of type '{of}'", str_repr(text)));
    let is_align = |c: char| matches!(c, '<' | '>' | '=' | '^');
    let chars: Vec<char> = text.chars().collect();
    let mut spec = Spec::default();
    let mut at = 0;
    let peek = |at: usize| chars.get(at).copied();
    if let (Some(fill), Some(align)) = (peek(0), peek(1))
        && is_align(align)
    {
        (spec.fill, spec.align, at) = (Some(fill), Some(align), 2);
    } else if let Some(align) = peek(0).filter(|c| is_align(*c)) {
        (spec.align, at) = (Some(align), 1);
    }
    if let Some(sign) = peek(at).filter(|c| matches!(c, '+' | '-' | ' ')) {
        spec.sign = Some(sign);
        at += 1;
    }
    for (c, flag) in [('z', &mut spec.no_negative_zero), ('#', &mut spec.alternate), ('0', &mut spec.zero)] {
        if peek(at) == Some(c) && !(c == '0' && spec.fill.is_some()) {
            *flag = true;
            at += 1;
        }
    }
    let number = |at: &mut usize| -> Result<Option<usize>, Fault> {
        let mut value: Option<usize> = None;
        while let Some(digit) = peek(*at).and_then(|c| c.to_digit(10)) {
            let next = value.unwrap_or(0).checked_mul(10).and_then(|v| v.checked_add(digit as usize));
            // CPython's own bound is that of a signed machine word.
            let next = next.filter(|v| isize::try_from(*v).is_ok());
            value = Some(next.ok_or_else(|| value_error("Too many decimal digits in format string"))?);
            *at += 1;
        }
        Ok(value)
    };
    spec.width = number(&mut at)?.unwrap_or(0);
    if let Some(mark) = peek(at).filter(|c| matches!(c, ',' | '_')) {
        spec.grouping = Some(mark);
        at += 1;
        if let Some(second) = peek(at).filter(|c| matches!(c, ',' | '_')) {
            let message = if second == mark {
                format!("Cannot specify '{mark}' with '{second}'.")
            } else {
                "Cannot specify both ',' and '_'.".to_owned()
            };
            return Err(value_error(message));
        }
    }
    if peek(at) == Some('.') {
        at += 1;
        spec.precision = Some(number(&mut at)?.ok_or_else(|| value_error("Format specifier missing precision"))?);
    }
    match &chars[at.min(chars.len())..] {
        [] => {}
        [kind] => spec.kind = Some(*kind),
        _ => return Err(invalid()),
    }
    if let (Some(mark), Some(kind)) = (spec.grouping, spec.kind) {
        let allowed = match kind {
            'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' => true,
            'b' | 'o' | 'x' | 'X' => mark == '_',
            _ => false,
        };
        if !allowed {
            return Err(value_error(format!("Cannot specify '{mark}' with '{kind}'.")));
        }
    }
    Ok(spec)
}

fn unknown(kind: char, of: &str) -> Fault {
    value_error(format!("Unknown format code '{kind}' for object of type '{of}'"))
}

/// Widens a text to the width, at the side that the alignment says.
fn pad(text: &str, spec: &Spec, default_align: char, default_fill: char) -> String {
    let missing = spec.width.saturating_sub(text.chars().count());
    let left = match spec.align.unwrap_or(default_align) {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    let fill = spec.fill.unwrap_or(default_fill);
    let mut out = String::with_capacity(text.len() + missing * fill.len_utf8());
    out.extend(std::iter::repeat_n(fill, left));
    out.push_str(text);
    out.extend(std::iter::repeat_n(fill, missing - left));
    out
}

/// A number in parts: the digits before the point, which grouping marks, and what follows.
struct Number {
    negative: bool,
    prefix: String,
    whole: String,
    rest: String,
}

fn layout(number: &Number, spec: &Spec, group: usize) -> String {
    let sign = match (number.negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        (false, _) => "",
    };
    let head = format!("{sign}{}", number.prefix);
    // A zero before the width pads after the sign, unless another alignment is asked for.
    let fill = spec.fill.unwrap_or(if spec.zero { '0' } else { ' ' });
    let align = spec.align.unwrap_or(if spec.zero { '=' } else { '>' });
    let mut whole = number.whole.clone();
    if let Some(mark) = spec.grouping {
        // Zeros that pad inside are grouped like digits.
        let wanted = if fill == '0' && align == '=' {
            spec.width.saturating_sub(head.chars().count() + number.rest.chars().count())
        } else {
            0
        };
        whole = grouped(&whole, mark, group, wanted);
    }
    let body = format!("{whole}{}", number.rest);
    if align == '=' {
        let missing = spec.width.saturating_sub(head.chars().count() + body.chars().count());
        let padding: String = std::iter::repeat_n(fill, missing).collect();
        return format!("{head}{padding}{body}");
    }
    let spec = Spec { align: Some(align), fill: Some(fill), width: spec.width, ..Spec::default() };
    pad(&format!("{head}{body}"), &spec, '>', ' ')
}

/// Digits with a mark between groups, with leading zeros so that there are at least `wanted` characters.
fn grouped(digits: &str, mark: char, group: usize, wanted: usize) -> String {
    // Only digits are grouped: `inf` and `nan` stay whole.
    if !digits.chars().all(|c| c.is_ascii_hexdigit()) || matches!(digits, "inf" | "nan" | "INF" | "NAN") {
        return digits.to_owned();
    }
    let mut reversed = String::new();
    let (mut count, mut length) = (0, 0);
    let mut left = digits.chars().rev();
    loop {
        let next = left.next();
        let Some(c) = next.or((length < wanted).then_some('0')) else { break };
        if count > 0 && count % group == 0 {
            reversed.push(mark);
            length += 1;
        }
        reversed.push(c);
        (count, length) = (count + 1, length + 1);
    }
    reversed.chars().rev().collect()
}

pub(super) fn format_str(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    if m.str(a[1]).is_empty() {
        return Ok(a[0]);
    }
    let spec = parse(m.str(a[1]), "str")?;
    if let Some(kind) = spec.kind.filter(|k| *k != 's') {
        return Err(unknown(kind, "str"));
    }
    if spec.sign.is_some() {
        let what = if spec.sign == Some(' ') { "Space" } else { "Sign" };
        return Err(value_error(format!("{what} not allowed in string format specifier")));
    }
    if spec.no_negative_zero {
        return Err(value_error("Negative zero coercion (z) not allowed in string format specifier"));
    }
    if spec.alternate {
        return Err(value_error("Alternate form (#) not allowed in string format specifier"));
    }
    if spec.align == Some('=') {
        return Err(value_error("'=' alignment not allowed in string format specifier"));
    }
    if let Some(mark) = spec.grouping {
        return Err(value_error(format!("Cannot specify '{mark}' with 's'.")));
    }
    fits(m, 4, spec.width)?;
    let text = m.str(a[0]);
    let text: String = match spec.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    };
    let text = pad(&text, &spec, '<', if spec.zero { '0' } else { ' ' });
    m.new_str(&text)
}

pub(super) fn format_bool(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    if m.str(a[1]).is_empty() {
        return m.new_str(if a[0] == 0 { "False" } else { "True" });
    }
    format_int_as(m, c, a, "bool")
}

pub(super) fn format_int(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    format_int_as(m, c, a, "int")
}

fn format_int_as(m: &mut dyn Machine, _: &Call<'_>, a: &[u64], of: &str) -> Result64 {
    let value = int(a[0]);
    let spec = parse(m.str(a[1]), of)?;
    fits(m, 4, spec.width)?;
    let (prefix, whole, group) = match spec.kind.unwrap_or('d') {
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => {
            fits(m, 1, spec.precision.unwrap_or(0))?;
            let text = float_text(value as f64, &spec, of)?;
            return m.new_str(&text);
        }
        'd' | 'n' => ("", value.unsigned_abs().to_string(), 3),
        'b' => ("0b", format!("{:b}", value.unsigned_abs()), 4),
        'o' => ("0o", format!("{:o}", value.unsigned_abs()), 4),
        'x' => ("0x", format!("{:x}", value.unsigned_abs()), 4),
        'X' => ("0X", format!("{:X}", value.unsigned_abs()), 4),
        'c' => ("", String::new(), 0),
        kind => return Err(unknown(kind, of)),
    };
    if spec.precision.is_some() {
        return Err(value_error("Precision not allowed in integer format specifier"));
    }
    if spec.no_negative_zero {
        return Err(value_error("Negative zero coercion (z) not allowed in integer format specifier"));
    }
    if spec.kind == Some('c') {
        if spec.sign.is_some() {
            return Err(value_error("Sign not allowed with integer format specifier 'c'"));
        }
        if spec.alternate {
            return Err(value_error("Alternate form (#) not allowed with integer format specifier 'c'"));
        }
        let c = u32::try_from(value).ok().and_then(char::from_u32);
        let c = c.ok_or_else(|| overflow(format!("%c arg not in range(0x110000): {value}")))?;
        let number = Number { negative: false, prefix: String::new(), whole: c.to_string(), rest: String::new() };
        let text = layout(&number, &spec, 3);
        return m.new_str(&text);
    }
    let prefix = if spec.alternate { prefix.to_owned() } else { String::new() };
    let number = Number { negative: value < 0, prefix, whole, rest: String::new() };
    let text = layout(&number, &spec, group);
    m.new_str(&text)
}

pub(super) fn format_float(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let value = float(a[0]);
    if m.str(a[1]).is_empty() {
        return m.new_str(&float_repr(value));
    }
    let spec = parse(m.str(a[1]), "float")?;
    fits(m, 4, spec.width)?;
    fits(m, 1, spec.precision.unwrap_or(0))?;
    let text = float_text(value, &spec, "float")?;
    m.new_str(&text)
}

fn float_text(value: f64, spec: &Spec, of: &str) -> Result<String, Fault> {
    let kind = spec.kind;
    if let Some(kind) = kind.filter(|k| !matches!(k, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%')) {
        return Err(unknown(kind, of));
    }
    let (value, kind) = if kind == Some('%') { (value * 100.0, Some('%')) } else { (value, kind) };
    let alternate = spec.alternate;
    let (mut text, percent) = if value.is_finite() {
        let magnitude = value.abs();
        let precision = spec.precision;
        match kind {
            Some('f' | 'F') => (fixed(magnitude, precision.unwrap_or(6), alternate), ""),
            Some('%') => (fixed(magnitude, precision.unwrap_or(6), alternate), "%"),
            Some('e' | 'E') => (exponential(magnitude, precision.unwrap_or(6), alternate), ""),
            Some(_) => (general(magnitude, precision.unwrap_or(6), alternate, false), ""),
            None => match precision {
                Some(precision) => (general(magnitude, precision, alternate, true), ""),
                None => (plain(magnitude, alternate), ""),
            },
        }
    } else {
        let name = if value.is_nan() { "nan" } else { "inf" };
        (name.to_owned(), if kind == Some('%') { "%" } else { "" })
    };
    if matches!(kind, Some('E' | 'F' | 'G')) {
        text = text.to_uppercase();
    }
    let mut negative = value.is_sign_negative() && !value.is_nan();
    if spec.no_negative_zero && negative && value.is_finite() {
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        negative = mantissa.chars().any(|c| c.is_ascii_digit() && c != '0');
    }
    let end_of_whole =
        if value.is_finite() { text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()) } else { text.len() };
    let rest = format!("{}{percent}", &text[end_of_whole..]);
    text.truncate(end_of_whole);
    let number = Number { negative, prefix: String::new(), whole: text, rest };
    Ok(layout(&number, spec, 3))
}

/// No double has more significant decimal digits than this; further ones are zeros.
const DIGITS_MAX: usize = 1_100;

/// As `repr` has it; the alternate form has a point in any case.
fn plain(value: f64, alternate: bool) -> String {
    let text = float_repr(value);
    match text.split_once('e') {
        Some((digits, exponent)) if alternate && !digits.contains('.') => format!("{digits}.e{exponent}"),
        _ => text,
    }
}

fn fixed(value: f64, precision: usize, alternate: bool) -> String {
    let mut text = format!("{value:.*}", precision.min(DIGITS_MAX));
    text.extend(std::iter::repeat_n('0', precision.saturating_sub(DIGITS_MAX)));
    if precision == 0 && alternate {
        text.push('.');
    }
    text
}

/// The digits of a value rounded to `precision` places after the first, and the exponent of ten of the first.
fn scientific(value: f64, precision: usize) -> (String, i32) {
    let text = format!("{value:.*e}", precision.min(DIGITS_MAX));
    let (mantissa, exponent) = text.split_once('e').expect("the format has an exponent");
    let mut digits = mantissa.replace('.', "");
    digits.extend(std::iter::repeat_n('0', precision.saturating_sub(DIGITS_MAX)));
    (digits, exponent.parse().expect("the exponent is a small integer"))
}

fn with_exponent(digits: &str, exponent: i32, alternate: bool) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() && !alternate { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{:02}", exponent.abs())
}

fn exponential(value: f64, precision: usize, alternate: bool) -> String {
    let (digits, exponent) = scientific(value, precision);
    with_exponent(&digits, exponent, alternate)
}

/// The general form: `precision` significant digits, without trailing zeros unless alternate, and with an exponent where that
/// is shorter. `as_repr` is the form without a type, which shows at least one digit after the point.
fn general(value: f64, precision: usize, alternate: bool, as_repr: bool) -> String {
    let precision = precision.max(1);
    let (digits, exponent) = scientific(value, precision - 1);
    let kept = if alternate { digits.as_str() } else { digits.trim_end_matches('0') };
    let kept = if kept.is_empty() { "0" } else { kept };
    let limit = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(as_repr);
    if exponent < -4 || i64::from(exponent) >= limit {
        return with_exponent(kept, exponent, alternate);
    }
    if exponent < 0 {
        let zeros = "0".repeat((-exponent - 1) as usize);
        return format!("0.{zeros}{kept}");
    }
    let whole = (exponent + 1) as usize;
    if kept.len() > whole {
        return format!("{}.{}", &kept[..whole], &kept[whole..]);
    }
    let zeros = "0".repeat(whole - kept.len());
    let end = match (as_repr, alternate) {
        (true, _) => ".0",
        (false, true) => ".",
        (false, false) => "",
    };
    format!("{kept}{zeros}{end}")
}
