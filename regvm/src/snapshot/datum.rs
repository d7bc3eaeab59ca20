//! Values from outside as bytes of format 1: a tag, then lengths as u32 and numbers in fixed width, little-endian.

use deepslate_ir::datum::{DEPTH, Datum};

const NONE: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const STR: u8 = 5;
const BYTES: u8 = 6;
const LIST: u8 = 7;
const DICT: u8 = 8;
const TUPLE: u8 = 9;
const OBJECT: u8 = 10;
const SET: u8 = 11;
/// Then the index of the member and the value, which is no member itself.
const MEMBER: u8 = 12;

/// Appends a value. Values are at most `DEPTH` levels deep, so this may recurse.
pub(super) fn write(datum: &Datum, out: &mut Vec<u8>) {
    match datum {
        Datum::None => out.push(NONE),
        Datum::Bool(false) => out.push(FALSE),
        Datum::Bool(true) => out.push(TRUE),
        Datum::Int(value) => {
            out.push(INT);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Datum::Float(value) => {
            out.push(FLOAT);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Datum::Str(text) => write_run(STR, text.as_bytes(), out),
        Datum::Bytes(bytes) => write_run(BYTES, bytes, out),
        Datum::List(items) => write_all(LIST, items, out),
        Datum::Tuple(items) => write_all(TUPLE, items, out),
        Datum::Object(items) => write_all(OBJECT, items, out),
        Datum::Set(items) => write_all(SET, items, out),
        Datum::Member(index, value) => {
            out.push(MEMBER);
            out.extend_from_slice(&index.to_le_bytes());
            write(value, out);
        }
        Datum::Dict(entries) => {
            write_len(DICT, entries.len(), out);
            for (key, value) in entries {
                write(key, out);
                write(value, out);
            }
        }
    }
}

fn write_len(tag: u8, len: usize, out: &mut Vec<u8>) {
    out.push(tag);
    let len = u32::try_from(len).expect("the limit of messages is under 4 GiB");
    out.extend_from_slice(&len.to_le_bytes());
}

fn write_run(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    write_len(tag, bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn write_all(tag: u8, items: &[Datum], out: &mut Vec<u8>) {
    write_len(tag, items.len(), out);
    items.iter().for_each(|item| write(item, out));
}

/// Reads values until the bytes end.
pub(super) fn read_all(mut bytes: &[u8]) -> Result<Vec<Datum>, String> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        out.push(read(&mut bytes, 0)?);
    }
    Ok(out)
}

fn read(bytes: &mut &[u8], depth: usize) -> Result<Datum, String> {
    if depth > DEPTH {
        return Err(format!("a value is nested more than {DEPTH} levels deep"));
    }
    let tag = take::<1>(bytes)?[0];
    let datum = match tag {
        NONE => Datum::None,
        FALSE => Datum::Bool(false),
        TRUE => Datum::Bool(true),
        INT => Datum::Int(i64::from_le_bytes(take(bytes)?)),
        FLOAT => Datum::Float(f64::from_bits(u64::from_le_bytes(take(bytes)?))),
        STR => {
            let text = take_run(bytes)?;
            Datum::Str(String::from_utf8(text.to_vec()).map_err(|_| "a text is not UTF-8".to_owned())?)
        }
        BYTES => Datum::Bytes(take_run(bytes)?.to_vec()),
        LIST => Datum::List(read_items(bytes, depth)?),
        TUPLE => Datum::Tuple(read_items(bytes, depth)?),
        OBJECT => Datum::Object(read_items(bytes, depth)?),
        SET => Datum::Set(read_items(bytes, depth)?),
        MEMBER => {
            let index = u32::from_le_bytes(take(bytes)?);
            if bytes.first() == Some(&MEMBER) {
                return Err("a value of a union is one of a union itself".to_owned());
            }
            // Not a level: a value of a union is nested no deeper than its member's.
            Datum::Member(index, Box::new(read(bytes, depth)?))
        }
        DICT => {
            let len = take_len(bytes)?;
            let mut entries = Vec::new();
            for _ in 0..len {
                entries.push((read(bytes, depth + 1)?, read(bytes, depth + 1)?));
            }
            Datum::Dict(entries)
        }
        other => return Err(format!("a value has the unknown tag {other}")),
    };
    Ok(datum)
}

fn read_items(bytes: &mut &[u8], depth: usize) -> Result<Vec<Datum>, String> {
    // Each item takes a byte at least, so a length can't make this larger than the bytes are; nothing is reserved for it.
    let len = take_len(bytes)?;
    let mut items = Vec::new();
    for _ in 0..len {
        items.push(read(bytes, depth + 1)?);
    }
    Ok(items)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], String> {
    let Some((head, rest)) = bytes.split_first_chunk::<N>() else {
        return Err("a value ends too early".to_owned());
    };
    *bytes = rest;
    Ok(*head)
}

fn take_len(bytes: &mut &[u8]) -> Result<usize, String> {
    Ok(u32::from_le_bytes(take(bytes)?) as usize)
}

fn take_run<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let len = take_len(bytes)?;
    let Some((head, rest)) = bytes.split_at_checked(len) else {
        return Err("a value ends too early".to_owned());
    };
    *bytes = rest;
    Ok(head)
}
