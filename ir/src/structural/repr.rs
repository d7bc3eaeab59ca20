//! The text of a value as Python's `repr` and `str` write it.
//!
//! Output is bounded by what the machine has room for, so that a structure that shares its parts can't exhaust the host.

use super::{DEPTH, slot_type, too_deep};
use crate::builtins::{Machine, unicode, unwrapped};
use crate::entity::TypeId;
use crate::trap::{Fault, TrapKind};
use crate::types::Type;
use std::fmt::Write;

/// Python's `str(value)`: text as it is, everything else as `repr` has it.
///
/// Fails as `repr` does.
pub fn to_str(m: &dyn Machine, ty: TypeId, slot: u64) -> Result<String, Fault> {
    let (ty, slot) = unwrapped(m, ty, slot);
    match m.types().get(ty) {
        Type::Str => Ok(m.str(slot).to_owned()),
        Type::Class(class) if m.types().enumeration(*class).is_some() => crate::enums::text(m, *class, slot, false),
        _ => repr(m, ty, slot),
    }
}

/// An object that is being printed, and how far.
struct Open {
    ty: TypeId,
    slot: u64,
    /// Index of the next element or position of the next entry.
    next: usize,
    /// How many parts have been printed.
    done: usize,
}

/// Python's `repr(value)`. What contains itself is printed as `[...]`, `{...}` or `...` there.
///
/// Fails where values are nested more than `DEPTH` deep, or where the text would not fit the memory.
pub fn repr(m: &dyn Machine, ty: TypeId, slot: u64) -> Result<String, Fault> {
    let mut out = String::new();
    let mut stack: Vec<Open> = Vec::new();
    let room = m.room();
    open(m, ty, slot, &mut stack, &mut out)?;
    while let Some(top) = stack.last_mut() {
        if out.len() > room {
            return Err(Fault::new(
                TrapKind::Memory,
                format!("a text of more than {room} bytes does not fit the memory"),
            ));
        }
        let (ty, slot, types) = (top.ty, top.slot, m.types());
        let first = top.done == 0;
        top.done += 1;
        let part = match types.get(ty) {
            Type::List(element) | Type::TupleOf(element) if top.next < m.list_len(slot) => {
                let part = (*element, m.list_get(slot, top.next));
                top.next += 1;
                separate(&mut out, first);
                Some(part)
            }
            Type::Dict(key, value) => match m.dict_next(slot, top.next) {
                None => None,
                Some(position) => {
                    top.next = position + 1;
                    let (k, v) = m.dict_entry(slot, position);
                    separate(&mut out, first);
                    // A key can't contain what it is a key of, and its type bounds its depth.
                    out.push_str(&repr(m, *key, k)?);
                    out.push_str(": ");
                    Some((*value, v))
                }
            },
            Type::Set(element) | Type::FrozenSet(element) => match m.dict_next(slot, top.next) {
                None => None,
                Some(position) => {
                    top.next = position + 1;
                    separate(&mut out, first);
                    Some((*element, m.dict_entry(slot, position).0))
                }
            },
            Type::Tuple(parts) if top.next < parts.len() => {
                let index = top.next;
                top.next += 1;
                separate(&mut out, first);
                Some((parts[index], m.slot(slot, index)))
            }
            Type::Class(class) if top.next < types.class(*class).fields.len() => {
                let index = top.next;
                top.next += 1;
                separate(&mut out, first);
                let _ = write!(out, "{}=", types.class(*class).fields[index].name);
                Some((slot_type(types, ty, index), m.slot(slot, index)))
            }
            _ => None,
        };
        match part {
            Some((ty, slot)) => open(m, ty, slot, &mut stack, &mut out)?,
            None => {
                out.push_str(match types.get(ty) {
                    Type::List(_) => "]",
                    Type::Dict(..) => "}",
                    Type::Tuple(parts) if parts.len() == 1 => ",)",
                    Type::TupleOf(_) if m.list_len(slot) == 1 => ",)",
                    Type::Set(_) if m.dict_len(slot) == 0 => ")",
                    Type::FrozenSet(_) if m.dict_len(slot) > 0 => "})",
                    Type::Set(_) => "}",
                    _ => ")",
                });
                stack.pop();
            }
        }
    }
    Ok(out)
}

fn separate(out: &mut String, first: bool) {
    if !first {
        out.push_str(", ");
    }
}

/// Prints a scalar, or what stands before the first part of a compound value, which is then open.
fn open(m: &dyn Machine, ty: TypeId, slot: u64, stack: &mut Vec<Open>, out: &mut String) -> Result<(), Fault> {
    let types = m.types();
    let (ty, slot) = unwrapped(m, ty, slot);
    let (before, inside_itself) = match types.get(ty) {
        Type::List(_) => ("[", "[...]"),
        Type::Dict(..) => ("{", "{...}"),
        Type::Tuple(_) | Type::TupleOf(_) => ("(", "(...)"),
        Type::Set(_) => (if m.dict_len(slot) == 0 { "set(" } else { "{" }, "set(...)"),
        Type::FrozenSet(_) => (if m.dict_len(slot) == 0 { "frozenset(" } else { "frozenset({" }, "frozenset(...)"),
        Type::Class(class) if types.enumeration(*class).is_some() => {
            out.push_str(&crate::enums::text(m, *class, slot, true)?);
            return Ok(());
        }
        Type::Class(_) => ("(", "..."),
        Type::None
        | Type::Bool
        | Type::Int
        | Type::Float
        | Type::Str
        | Type::Bytes
        | Type::Queue(_)
        | Type::Lock
        | Type::WaitGroup => {
            write_flat(m, ty, slot, out);
            return Ok(());
        }
        Type::Union(_) => unreachable!("no member is a union"),
    };
    let slot = m.identity(slot);
    if stack.iter().any(|o| o.slot == slot && o.ty == ty) {
        out.push_str(inside_itself);
        return Ok(());
    }
    if stack.len() == DEPTH {
        return Err(too_deep("while getting the repr of an object"));
    }
    if let Type::Class(class) = types.get(ty) {
        out.push_str(&types.class(*class).name);
    }
    out.push_str(before);
    stack.push(Open { ty, slot, next: 0, done: 0 });
    Ok(())
}

fn write_flat(m: &dyn Machine, ty: TypeId, slot: u64, out: &mut String) {
    match m.types().get(ty) {
        Type::None => out.push_str("None"),
        Type::Bool => out.push_str(if slot == 0 { "False" } else { "True" }),
        Type::Int => {
            let _ = write!(out, "{}", slot as i64);
        }
        Type::Float => write_float_repr(f64::from_bits(slot), out),
        Type::Str => write_str_repr(m.str(slot), out),
        Type::Bytes => write_bytes_repr(m.bytes(slot), out),
        _ => {
            let _ = write!(out, "<{}>", m.types().name(ty));
        }
    }
}

/// Python's `repr` of a float: the fewest digits that give the same double back.
pub fn float_repr(value: f64) -> String {
    let mut out = String::new();
    write_float_repr(value, &mut out);
    out
}

/// The shortest decimal that reads back as this positive number, and of several the nearest, the even one of two that are
/// equally near. Rust's own takes the larger one of those.
fn nearest_shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    // With fewer digits one more of them makes another number, so that none lies half-way.
    if digits >= 15 {
        let even = format!("{value:.*e}", digits - 1);
        if even.parse() == Ok(value) {
            return even;
        }
    }
    shortest
}

/// Appends Python's `repr` of a float.
pub fn write_float_repr(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("nan");
        return;
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    if value.is_infinite() {
        out.push_str("inf");
        return;
    }
    let scientific = nearest_shortest(value.abs());
    let (digits, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the format's exponent is a small integer");
    let digits = digits.replace('.', "");
    let count = digits.len() as i32;
    if (-4..16).contains(&exponent) {
        if exponent < 0 {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
            out.push_str(&digits);
        } else if count <= exponent + 1 {
            out.push_str(&digits);
            out.extend(std::iter::repeat_n('0', (exponent + 1 - count) as usize));
            out.push_str(".0");
        } else {
            let (whole, fraction) = digits.split_at((exponent + 1) as usize);
            let _ = write!(out, "{whole}.{fraction}");
        }
    } else {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{first}{point}{rest}e{sign}{:02}", exponent.abs());
    }
}

/// Python's `repr` of a text.
pub fn str_repr(text: &str) -> String {
    let mut out = String::new();
    write_str_repr(text, &mut out);
    out
}

/// Appends Python's `repr` of a text.
pub fn write_str_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.reserve(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            _ if unicode::is_printable(c) => out.push(c),
            _ => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// Appends Python's `repr` of bytes.
pub fn write_bytes_repr(bytes: &[u8], out: &mut String) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    out.reserve(bytes.len() + 3);
    out.push('b');
    out.push(char::from(quote));
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ if byte == quote => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(char::from(quote));
}
