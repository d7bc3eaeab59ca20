//! Templates of `str.format` that are known only when the program runs.

use super::Result64;
use crate::builtins::args::{fits, value_error};
use crate::builtins::machine::{Call, Machine};
use crate::trap::{Fault, TrapKind};

/// One field: the text before it, the index of its name, its conversion and its format.
type Field = [String; 4];

pub(in crate::builtins) fn fields(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result64 {
    let names: Vec<String> = (0..m.list_len(a[1])).map(|at| m.str(m.list_get(a[1], at)).to_owned()).collect();
    let template: Vec<char> = m.str(a[0]).chars().collect();
    let found = read(&template, &names)?;
    fits(m, 40, found.len().saturating_mul(4))?;
    let slots = found.iter().flatten().map(|part| m.new_str(part)).collect::<Result<Vec<_>, _>>()?;
    m.new_list(c.ret, &slots)
}

/// The fields of a template, and the text at its end as one without a name.
fn read(template: &[char], names: &[String]) -> Result<Vec<Field>, Fault> {
    let mut found = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    // The number of the next `{}`; none once fields have numbers of their own.
    let mut next = Some(0_usize);
    while let Some(c) = template.get(at).copied() {
        at += 1;
        if !matches!(c, '{' | '}') {
            text.push(c);
            continue;
        }
        match (c, template.get(at)) {
            (_, Some(again)) if *again == c => {
                text.push(c);
                at += 1;
            }
            ('}', _) => return Err(value_error("Single '}' encountered in format string")),
            (_, None) => return Err(value_error("Single '{' encountered in format string")),
            _ => {
                let len = template[at..].iter().position(|c| *c == '}');
                let inner = template[at..].iter().take(len.unwrap_or(usize::MAX)).collect::<String>();
                if inner.contains('{') {
                    return Err(value_error(
                        "a template that is not written in the program has no fields in its fields",
                    ));
                }
                let Some(len) = len else { return Err(value_error("expected '}' before end of string")) };
                at += len + 1;
                let [index, conversion, format] = field(&inner, names, &mut next)?;
                found.push([std::mem::take(&mut text), index, conversion, format]);
            }
        }
    }
    found.push([text, String::new(), String::new(), String::new()]);
    Ok(found)
}

/// What stands between braces: the index of the name, the conversion and the format.
fn field(inner: &str, names: &[String], next: &mut Option<usize>) -> Result<[String; 3], Fault> {
    let (head, format) = inner.split_once(':').unwrap_or((inner, ""));
    let (name, conversion) = match head.split_once('!') {
        None => (head, ""),
        Some((name, conversion @ ("r" | "s" | "a"))) => (name, conversion),
        Some((_, "")) => return Err(value_error("unmatched '{' in format spec")),
        Some((_, other)) => return Err(value_error(format!("Unknown conversion specifier {other}"))),
    };
    if name.contains(['.', '[']) {
        return Err(value_error("a template that is not written in the program takes whole values, no parts of them"));
    }
    let automatic = name.is_empty();
    let number = !automatic && name.bytes().all(|b| b.is_ascii_digit());
    let name = match (automatic, *next) {
        (true, None) => {
            return Err(value_error("cannot switch from manual field specification to automatic field numbering"));
        }
        (true, Some(at)) => {
            *next = Some(at + 1);
            at.to_string()
        }
        (false, Some(at)) if number && at > 0 => {
            return Err(value_error("cannot switch from automatic field numbering to manual field specification"));
        }
        (false, _) => {
            if number {
                *next = None;
            }
            name.to_owned()
        }
    };
    match names.iter().position(|known| *known == name) {
        Some(index) => Ok([index.to_string(), conversion.to_owned(), format.to_owned()]),
        None if automatic || number => {
            let message = format!("Replacement index {name} out of range for positional args tuple");
            Err(Fault::new(TrapKind::Index, message))
        }
        None => Err(Fault::new(TrapKind::Key, crate::structural::str_repr(&name))),
    }
}
