//! Upper, lower and title case.

use super::Result64;
use crate::builtins::machine::{Call, Machine};
use crate::builtins::unicode;

pub(in crate::builtins) fn upper(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = m.str(a[0]).to_uppercase();
    m.new_str(&text)
}

pub(in crate::builtins) fn lower(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = m.str(a[0]).to_lowercase();
    m.new_str(&text)
}

pub(in crate::builtins) fn casefold(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let mut out = String::with_capacity(m.str(a[0]).len());
    m.str(a[0]).chars().for_each(|c| unicode::push_folded(c, &mut out));
    m.new_str(&out)
}

/// How a character is written in a text in which some are changed.
#[derive(Clone, Copy)]
enum As {
    Itself,
    Upper,
    Lower,
    Title,
}

/// The text with each character as `choose` wants it. Lower case depends on what stands around: a final sigma differs.
fn recase(text: &str, mut choose: impl FnMut(char) -> As) -> String {
    let lower = text.to_lowercase();
    let mut lower = lower.chars();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let lowered = lower.by_ref().take(c.to_lowercase().count());
        match choose(c) {
            As::Lower => out.extend(lowered),
            other => {
                lowered.for_each(drop);
                match other {
                    As::Upper => out.extend(c.to_uppercase()),
                    As::Title => unicode::push_title(c, &mut out),
                    As::Itself | As::Lower => out.push(c),
                }
            }
        }
    }
    out
}

pub(in crate::builtins) fn title(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let mut inside = false;
    let text = recase(m.str(a[0]), |c| {
        let before = std::mem::replace(&mut inside, unicode::is_cased(c));
        if before { As::Lower } else { As::Title }
    });
    m.new_str(&text)
}

pub(in crate::builtins) fn capitalize(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let mut first = true;
    let text = recase(m.str(a[0]), |_| if std::mem::take(&mut first) { As::Title } else { As::Lower });
    m.new_str(&text)
}

pub(in crate::builtins) fn swapcase(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = recase(m.str(a[0]), |c| {
        if c.is_uppercase() {
            As::Lower
        } else if c.is_lowercase() {
            As::Upper
        } else {
            As::Itself
        }
    });
    m.new_str(&text)
}

pub(in crate::builtins) fn is_upper(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = m.str(a[0]);
    let other = text.chars().any(|c| c.is_lowercase() || unicode::is_title(c));
    Ok(u64::from(!other && text.chars().any(char::is_uppercase)))
}

pub(in crate::builtins) fn is_lower(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let text = m.str(a[0]);
    let other = text.chars().any(|c| c.is_uppercase() || unicode::is_title(c));
    Ok(u64::from(!other && text.chars().any(char::is_lowercase)))
}

/// Whether each run of cased characters begins with its only upper or title case one, and there is one.
pub(in crate::builtins) fn is_title(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (mut any, mut inside) = (false, false);
    for c in m.str(a[0]).chars() {
        if c.is_uppercase() || unicode::is_title(c) {
            if inside {
                return Ok(0);
            }
            (any, inside) = (true, true);
        } else if c.is_lowercase() {
            if !inside {
                return Ok(0);
            }
        } else {
            inside = false;
        }
    }
    Ok(u64::from(any))
}
