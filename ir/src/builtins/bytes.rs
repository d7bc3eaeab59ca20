//! Bodies of the builtins on bytes.

use super::args::{Slice, clamp, fits, index_in, int, times, value_error};
use super::machine::{Call, Machine};
use super::text::{Encoding, encoding};
use crate::trap::Fault;

type Result64 = Result<u64, Fault>;

pub(super) fn len(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(m.bytes(a[0]).len() as u64)
}

pub(super) fn index(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]);
    let at = index_in(bytes.len(), int(a[1]), "index")?;
    Ok(u64::from(bytes[at]))
}

pub(super) fn slice(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]);
    let slice = Slice::of(bytes.len(), int(a[1]), int(a[2]), int(a[3]))?;
    let part: Vec<u8> = if slice.step == 1 {
        bytes[slice.first.min(bytes.len())..][..slice.count].to_vec()
    } else {
        slice.indices().map(|at| bytes[at]).collect()
    };
    m.new_bytes(&part)
}

pub(super) fn concat(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = [m.bytes(a[0]), m.bytes(a[1])].concat();
    m.new_bytes(&bytes)
}

pub(super) fn repeat(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let count = times(int(a[1]));
    fits(m, m.bytes(a[0]).len(), count)?;
    let bytes = if m.bytes(a[0]).is_empty() { Vec::new() } else { m.bytes(a[0]).repeat(count) };
    m.new_bytes(&bytes)
}

/// Where the part first stands in the bytes. The naive search has to look at `part` again at each place, so the first byte
/// is sought alone.
fn first_in(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let Some((first, rest)) = part.split_first() else { return Some(0) };
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| b == first) {
        let after = from + at + 1;
        if bytes[after..].starts_with(rest) {
            return Some(from + at);
        }
        from = after;
    }
    None
}

fn last_in(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let last_start = bytes.len().checked_sub(part.len())?;
    (0..=last_start).rev().find(|at| bytes[*at..].starts_with(part))
}

pub(super) fn contains(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(first_in(m.bytes(a[0]), m.bytes(a[1])).is_some()))
}

fn byte(value: i64) -> Result<u8, Fault> {
    u8::try_from(value).map_err(|_| value_error(format!("byte must be in range(0, 256): {value}")))
}

pub(super) fn contains_int(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let wanted = byte(int(a[1]))?;
    Ok(u64::from(m.bytes(a[0]).contains(&wanted)))
}

/// Start and part of the bytes that arguments 2 and 3 select, as for text.
fn window<'m>(m: &'m dyn Machine, a: &[u64]) -> Option<(usize, &'m [u8])> {
    let bytes = m.bytes(a[0]);
    let start = a.get(2).map_or(0, |start| int(*start));
    let start = if start < 0 {
        clamp(bytes.len(), start)
    } else {
        usize::try_from(start).ok().filter(|at| *at <= bytes.len())?
    };
    let end = a.get(3).map_or(bytes.len(), |end| clamp(bytes.len(), int(*end)));
    bytes.get(start..end).map(|part| (start, part))
}

pub(super) fn find(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let found = window(m, a).and_then(|(start, part)| Some(start + first_in(part, m.bytes(a[1]))?));
    Ok(found.map_or(-1i64 as u64, |at| at as u64))
}

pub(super) fn rfind(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let found = window(m, a).and_then(|(start, part)| Some(start + last_in(part, m.bytes(a[1]))?));
    Ok(found.map_or(-1i64 as u64, |at| at as u64))
}

pub(super) fn find_or_fail(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let at = find(m, c, a)?;
    if int(at) < 0 { Err(value_error("subsection not found")) } else { Ok(at) }
}

pub(super) fn count(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let part = m.bytes(a[1]);
    if part.is_empty() {
        return Ok(m.bytes(a[0]).len() as u64 + 1);
    }
    let (mut rest, mut count) = (m.bytes(a[0]), 0);
    while let Some(at) = first_in(rest, part) {
        rest = &rest[at + part.len()..];
        count += 1;
    }
    Ok(count)
}

pub(super) fn starts_with(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.bytes(a[0]).starts_with(m.bytes(a[1]))))
}

pub(super) fn ends_with(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.bytes(a[0]).ends_with(m.bytes(a[1]))))
}

pub(super) fn hex(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 2, m.bytes(a[0]).len())?;
    let text: String = m.bytes(a[0]).iter().flat_map(|b| [b >> 4, b & 15]).map(hex_digit).collect();
    m.new_str(&text)
}

fn hex_digit(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).expect("half a byte is a hexadecimal digit")
}

/// What is wrong with bytes that are not UTF-8, in CPython's words.
fn not_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Fault {
    let start = error.valid_up_to();
    let (end, reason) = match error.error_len() {
        None => (bytes.len(), "unexpected end of data"),
        Some(len) if matches!(bytes[start], 0x80..=0xc1 | 0xf5..) => (start + len, "invalid start byte"),
        Some(len) => (start + len, "invalid continuation byte"),
    };
    let place = if end - start == 1 {
        format!("byte {:#04x} in position {start}", bytes[start])
    } else {
        format!("bytes in position {start}-{}", end - 1)
    };
    value_error(format!("'utf-8' codec can't decode {place}: {reason}"))
}

pub(super) fn decode(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]);
    let text = std::str::from_utf8(bytes).map_err(|e| not_utf8(bytes, e))?.to_owned();
    m.new_str(&text)
}

pub(super) fn decode_as(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]);
    let text: String = match encoding(m.str(a[1]))? {
        Encoding::Utf8 => return decode(m, c, a),
        Encoding::Latin1 => bytes.iter().copied().map(char::from).collect(),
        Encoding::Ascii => match bytes.iter().position(|b| !b.is_ascii()) {
            None => bytes.iter().copied().map(char::from).collect(),
            Some(at) => {
                let message = format!(
                    "'ascii' codec can't decode byte {:#04x} in position {at}: ordinal not in range(128)",
                    bytes[at]
                );
                return Err(value_error(message));
            }
        },
    };
    m.new_str(&text)
}

pub(super) fn decode_errors(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]);
    let errors = m.str(a[2]);
    let bad = |bytes: &[u8], out: &mut String| match errors {
        "ignore" => Ok(()),
        "replace" => {
            out.push('\u{fffd}');
            Ok(())
        }
        "backslashreplace" => {
            bytes.iter().for_each(|b| out.push_str(&format!("\\x{b:02x}")));
            Ok(())
        }
        errors => Err(value_error(format!("unknown error handler name '{errors}'"))),
    };
    let mut out = String::new();
    match encoding(m.str(a[1]))? {
        _ if errors == "strict" => return decode_as(m, c, a),
        Encoding::Latin1 => return decode_as(m, c, a),
        Encoding::Ascii => {
            for byte in bytes {
                if byte.is_ascii() { out.push(char::from(*byte)) } else { bad(&[*byte], &mut out)? }
            }
        }
        Encoding::Utf8 => {
            for chunk in bytes.utf8_chunks() {
                out.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    bad(chunk.invalid(), &mut out)?;
                }
            }
        }
    }
    m.new_str(&out)
}

fn all_are(m: &mut dyn Machine, a: &[u64], is: fn(u8) -> bool) -> Result64 {
    let bytes = m.bytes(a[0]);
    Ok(u64::from(!bytes.is_empty() && bytes.iter().all(|b| is(*b))))
}

pub(super) fn is_alpha(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all_are(m, a, |b| b.is_ascii_alphabetic())
}

pub(super) fn is_alnum(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all_are(m, a, |b| b.is_ascii_alphanumeric())
}

pub(super) fn all_space(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    all_are(m, a, is_space)
}

pub(super) fn is_ascii(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(m.bytes(a[0]).is_ascii()))
}

/// The one byte to fill with, and how many of it are lacking.
fn lacking(m: &mut dyn Machine, a: &[u64], name: &str) -> Result<(u8, usize), Fault> {
    let fill = match a.get(2) {
        None => b' ',
        Some(fill) => match m.bytes(*fill) {
            [one] => *one,
            _ => {
                let message = format!("{name}() argument 2 must be a byte string of length 1, not bytes");
                return Err(value_error(message));
            }
        },
    };
    let len = m.bytes(a[0]).len();
    let count = usize::try_from(int(a[1])).unwrap_or(0).saturating_sub(len);
    fits(m, 1, count.saturating_add(len))?;
    Ok((fill, count))
}

pub(super) fn ljust(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (fill, count) = lacking(m, a, "ljust")?;
    let mut bytes = m.bytes(a[0]).to_vec();
    bytes.resize(bytes.len() + count, fill);
    m.new_bytes(&bytes)
}

pub(super) fn rjust(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (fill, count) = lacking(m, a, "rjust")?;
    let mut bytes = vec![fill; count];
    bytes.extend_from_slice(m.bytes(a[0]));
    m.new_bytes(&bytes)
}

pub(super) fn zfill(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (_, count) = lacking(m, &a[..2], "zfill")?;
    let mut bytes = m.bytes(a[0]).to_vec();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    bytes.splice(sign..sign, std::iter::repeat_n(b'0', count));
    m.new_bytes(&bytes)
}

pub(super) fn of_list(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let each = (0..m.list_len(a[0])).map(|at| byte(int(m.list_get(a[0], at))));
    let bytes =
        each.collect::<Result<Vec<_>, _>>().map_err(|f| value_error(f.message.replace("byte must", "bytes must")))?;
    m.new_bytes(&bytes)
}

pub(super) fn of_count(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let count = usize::try_from(int(a[0])).map_err(|_| value_error(format!("negative count: {}", int(a[0]))))?;
    fits(m, 1, count)?;
    m.new_bytes(&vec![0; count])
}

/// `list(bytes)`: its bytes as integers.
pub(super) fn to_list(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    fits(m, 8, m.bytes(a[0]).len())?;
    let slots: Vec<u64> = m.bytes(a[0]).iter().map(|b| u64::from(*b)).collect();
    m.new_list(c.ret, &slots)
}

pub(super) fn join(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let len = m.list_len(a[1]);
    let separators = m.bytes(a[0]).len().saturating_mul(len.saturating_sub(1));
    let all = (0..len).map(|at| m.bytes(m.list_get(a[1], at)).len()).fold(separators, usize::saturating_add);
    fits(m, all, 1)?;
    let mut out = Vec::with_capacity(all);
    for at in 0..len {
        if at > 0 {
            out.extend_from_slice(m.bytes(a[0]));
        }
        out.extend_from_slice(m.bytes(m.list_get(a[1], at)));
    }
    m.new_bytes(&out)
}

pub(super) fn split(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (mut rest, separator) = (m.bytes(a[0]), m.bytes(a[1]));
    if separator.is_empty() {
        return Err(value_error("empty separator"));
    }
    let mut parts = Vec::new();
    let most = a.get(2).map_or(usize::MAX, |most| usize::try_from(int(*most)).unwrap_or(usize::MAX));
    while let Some(at) = first_in(rest, separator).filter(|_| parts.len() < most) {
        parts.push(rest[..at].to_vec());
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest.to_vec());
    fits(m, 40, parts.len())?;
    let slots = parts.iter().map(|part| m.new_bytes(part)).collect::<Result<Vec<_>, _>>()?;
    m.new_list(c.ret, &slots)
}

pub(super) fn replace(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (mut rest, old, new) = (m.bytes(a[0]), m.bytes(a[1]), m.bytes(a[2]));
    let mut out = Vec::new();
    if old.is_empty() {
        fits(m, new.len() + 1, rest.len() + 1)?;
        out.extend_from_slice(new);
        for byte in rest {
            out.push(*byte);
            out.extend_from_slice(new);
        }
        return m.new_bytes(&out);
    }
    while let Some(at) = first_in(rest, old) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + old.len()..];
        fits(m, out.len(), 1)?;
    }
    out.extend_from_slice(rest);
    m.new_bytes(&out)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// The bytes without those at the beginning or end that are among the second argument, or white space without one.
fn stripped(m: &mut dyn Machine, a: &[u64], left: bool, right: bool) -> Result64 {
    let bytes = m.bytes(a[0]);
    let goes = |b: &u8| a.get(1).map_or_else(|| is_space(*b), |chars| m.bytes(*chars).contains(b));
    let start = if left { bytes.iter().position(|b| !goes(b)).unwrap_or(bytes.len()) } else { 0 };
    let end = if right { bytes.iter().rposition(|b| !goes(b)).map_or(start, |at| at + 1) } else { bytes.len() };
    let part = bytes[start..end].to_vec();
    m.new_bytes(&part)
}

pub(super) fn strip(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    stripped(m, a, true, true)
}

pub(super) fn lstrip(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    stripped(m, a, true, false)
}

pub(super) fn rstrip(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    stripped(m, a, false, true)
}

pub(super) fn upper(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]).to_ascii_uppercase();
    m.new_bytes(&bytes)
}

pub(super) fn lower(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]).to_ascii_lowercase();
    m.new_bytes(&bytes)
}

pub(super) fn remove_prefix(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let Some(rest) = m.bytes(a[0]).strip_prefix(m.bytes(a[1])) else { return Ok(a[0]) };
    let rest = rest.to_vec();
    m.new_bytes(&rest)
}

pub(super) fn remove_suffix(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let Some(rest) = m.bytes(a[0]).strip_suffix(m.bytes(a[1])) else { return Ok(a[0]) };
    let rest = rest.to_vec();
    m.new_bytes(&rest)
}

pub(super) fn partition(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let (bytes, separator) = (m.bytes(a[0]), m.bytes(a[1]));
    if separator.is_empty() {
        return Err(value_error("empty separator"));
    }
    let (before, after) = match first_in(bytes, separator) {
        Some(at) => (bytes[..at].to_vec(), Some(bytes[at + separator.len()..].to_vec())),
        None => (bytes.to_vec(), None),
    };
    let middle = if after.is_some() { separator.to_vec() } else { Vec::new() };
    let parts = [before, middle, after.unwrap_or_default()];
    let slots = [m.new_bytes(&parts[0])?, m.new_bytes(&parts[1])?, m.new_bytes(&parts[2])?];
    m.new_object(c.ret, &slots)
}

pub(super) fn is_digit(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let bytes = m.bytes(a[0]);
    Ok(u64::from(!bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)))
}

/// `bytes.fromhex`.
pub(super) fn from_hex(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let mut out = Vec::new();
    let mut chars = m.str(a[0]).char_indices().filter(|(_, c)| !matches!(c, '\t'..='\r' | ' ')).peekable();
    let mut end = None;
    while let Some((at, c)) = chars.next() {
        // Both digits of a byte stand together.
        let low = chars.next_if(|(next, _)| *next == at + c.len_utf8());
        let digits = c.to_digit(16).zip(low.and_then(|(_, c)| c.to_digit(16)));
        match digits {
            Some((high, low)) => out.push((high * 16 + low) as u8),
            None => {
                let wrong = if c.is_ascii_hexdigit() { at + 1 } else { at };
                end = Some(m.str(a[0])[..wrong].chars().count());
                break;
            }
        }
    }
    match end {
        Some(at) => Err(value_error(format!("non-hexadecimal number found in fromhex() arg at position {at}"))),
        None => m.new_bytes(&out),
    }
}
