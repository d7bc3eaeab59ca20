//! Stripping and padding.

use super::Result64;
use crate::builtins::args::{fits, int, times, value_error};
use crate::builtins::machine::{Call, Machine};
use crate::builtins::unicode;
use crate::trap::Fault;

macro_rules! strips {
    ($($name:ident $with:ident = $trim:ident;)*) => {$(
        pub(in crate::builtins) fn $name(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
            let text = m.str(a[0]).$trim(unicode::is_space).to_owned();
            m.new_str(&text)
        }

        pub(in crate::builtins) fn $with(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
            let chars: Vec<char> = m.str(a[1]).chars().collect();
            let text = m.str(a[0]).$trim(|c| chars.contains(&c)).to_owned();
            m.new_str(&text)
        }
    )*};
}

strips! {
    strip strip_chars = trim_matches;
    lstrip lstrip_chars = trim_start_matches;
    rstrip rstrip_chars = trim_end_matches;
}

/// The fill character of `ljust` and its like: the third argument, or a space.
fn fill(m: &dyn Machine, a: &[u64]) -> Result<char, Fault> {
    let Some(fill) = a.get(2) else { return Ok(' ') };
    let mut chars = m.str(*fill).chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(value_error("The fill character must be exactly one character long")),
    }
}

fn pad(m: &mut dyn Machine, a: &[u64], left_of: fn(usize, usize) -> usize) -> Result64 {
    let fill = fill(m, a)?;
    let width = times(int(a[1]));
    let padding = width.saturating_sub(m.str_len(a[0]));
    if padding == 0 {
        return Ok(a[0]);
    }
    fits(m, fill.len_utf8(), padding)?;
    let left = left_of(padding, width);
    let mut out = String::with_capacity(m.str(a[0]).len() + padding * fill.len_utf8());
    out.extend(std::iter::repeat_n(fill, left));
    out.push_str(m.str(a[0]));
    out.extend(std::iter::repeat_n(fill, padding - left));
    m.new_str(&out)
}

pub(in crate::builtins) fn ljust(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    pad(m, a, |_, _| 0)
}

pub(in crate::builtins) fn rjust(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    pad(m, a, |padding, _| padding)
}

pub(in crate::builtins) fn center(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    // CPython's choice of the side of an odd space.
    pad(m, a, |padding, width| padding / 2 + (padding & width & 1))
}

pub(in crate::builtins) fn zfill(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let padding = times(int(a[1])).saturating_sub(m.str_len(a[0]));
    if padding == 0 {
        return Ok(a[0]);
    }
    fits(m, 1, padding)?;
    let text = m.str(a[0]);
    let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
    let text = format!("{sign}{}{digits}", "0".repeat(padding));
    m.new_str(&text)
}

pub(in crate::builtins) fn remove_prefix(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let Some(rest) = m.str(a[0]).strip_prefix(m.str(a[1])) else { return Ok(a[0]) };
    let rest = rest.to_owned();
    m.new_str(&rest)
}

pub(in crate::builtins) fn remove_suffix(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let Some(rest) = m.str(a[0]).strip_suffix(m.str(a[1])) else { return Ok(a[0]) };
    let rest = rest.to_owned();
    m.new_str(&rest)
}
