//! The JSON form of values, the one that CLI, API and inspector read and write, by the type that is declared:
//!
//! | type | JSON |
//! | --- | --- |
//! | `None`, `bool`, `int`, `str` | `null`, `true` or `false`, a number, a string |
//! | `float` | a number, written with point or exponent; `NaN`, `Infinity`, `-Infinity` as Python's json has them |
//! | `bytes` | `{"$bytes": base64}` |
//! | `list`, `tuple` | an array |
//! | `dict` with keys of `str` | an object |
//! | `dict` with other keys | `{"$dict": [[key, value], …]}`; read of an empty object too |
//! | a dataclass | an object by field |
//! | `A | B` | as the member has it |
//!
//! What reads is strict about types, except that a number without a fraction and a truth value are taken for a float and a
//! truth value for an int. Of equal names in an object the last one counts where a dict is read and is an error where fields
//! are; a field that the class does not have and one that is not there are errors, also where it has a default. It takes
//! untrusted input: every mistake is an error that says where it is.

use crate::datum::{DEPTH, Datum, Part, Path, as_member, member_of};
use crate::entity::{ClassId, TypeId};
use crate::enums::{Member, MemberValue};
use crate::structural::{slot_type, write_float_repr};
use crate::types::{self, Type, Types};
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use std::fmt::{self, Write};

#[cfg(test)]
mod tests;
mod text;

use text::Json;

/// Base64 with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a JSON text is not a value of the type that is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where in the value.
    pub path: Path,
    /// What the type asks for there.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// A name that may have been meant.
    pub did_you_mean: Option<String>,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}expected {}, found {}", self.path.prefix(), self.expected, self.found)?;
        match &self.did_you_mean {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for JsonError {}

/// A value as JSON, without spaces. A value that is not of the type is written by its own shape.
pub fn to_json(types: &Types, ty: TypeId, datum: &Datum) -> String {
    let mut out = String::new();
    write_json(types, Some(ty), datum, &mut out);
    out
}

fn write_json(types: &Types, ty: Option<TypeId>, datum: &Datum, out: &mut String) {
    // Which member of a union it is does not show: what is read back takes the first that fits.
    if let Some(union) = ty.filter(|ty| types.members(*ty).is_some())
        && let Some((member, value)) = member_of(types, union, datum)
    {
        return write_json(types, Some(member), value, out);
    }
    let known = ty.map(|ty| types.get(ty));
    match datum {
        Datum::Member(_, value) => write_json(types, None, value, out),
        Datum::None => out.push_str("null"),
        Datum::Bool(value) => match known {
            Some(Type::Int) => out.push(if *value { '1' } else { '0' }),
            Some(Type::Float) => out.push_str(if *value { "1.0" } else { "0.0" }),
            _ => out.push_str(if *value { "true" } else { "false" }),
        },
        Datum::Int(value) if matches!(known, Some(Type::Float)) => write_float(*value as f64, out),
        Datum::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Datum::Float(value) => write_float(*value, out),
        Datum::Str(text) => write_string(text, out),
        Datum::Bytes(bytes) => {
            out.push_str("{\"$bytes\":\"");
            STANDARD.encode_string(bytes, out);
            out.push_str("\"}");
        }
        Datum::List(elements) => {
            let element = match known {
                Some(Type::List(element)) => Some(*element),
                _ => None,
            };
            write_array(elements.iter().map(|e| (element, e)), types, out);
        }
        Datum::Set(elements) => {
            let element = ty.and_then(|ty| types.element(ty));
            write_array(elements.iter().map(|e| (element, e)), types, out);
        }
        Datum::Tuple(parts) if matches!(known, Some(Type::TupleOf(_))) => {
            let element = ty.and_then(|ty| types.element(ty));
            write_array(parts.iter().map(|e| (element, e)), types, out);
        }
        Datum::Tuple(parts) => {
            let whole = ty.filter(|_| matches!(known, Some(Type::Tuple(types)) if types.len() == parts.len()));
            let each = parts.iter().enumerate();
            write_array(each.map(|(at, e)| (whole.map(|ty| slot_type(types, ty, at)), e)), types, out);
        }
        Datum::Dict(entries) => {
            let (key, value) = match known {
                Some(Type::Dict(key, value)) => (Some(*key), Some(*value)),
                _ => (None, None),
            };
            let by_name = match key {
                Some(key) => key == types::STR,
                None => entries.iter().all(|(k, _)| matches!(k.unwrapped(), Datum::Str(_))),
            };
            out.push_str(if by_name { "{" } else { "{\"$dict\":[" });
            for (at, (k, v)) in entries.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(if by_name { "" } else { "[" });
                write_json(types, key, k, out);
                out.push(if by_name { ':' } else { ',' });
                write_json(types, value, v, out);
                out.push_str(if by_name { "" } else { "]" });
            }
            out.push_str(if by_name { "}" } else { "]}" });
        }
        Datum::Object(slots) => match known {
            Some(Type::Class(class)) if types.class(*class).fields.len() == slots.len() => {
                out.push('{');
                for (at, (field, slot)) in types.class(*class).fields.iter().zip(slots).enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    write_string(&field.name, out);
                    out.push(':');
                    write_json(types, Some(field.ty), slot, out);
                }
                out.push('}');
            }
            _ => write_array(slots.iter().map(|slot| (None, slot)), types, out),
        },
    }
}

fn write_array<'a>(each: impl Iterator<Item = (Option<TypeId>, &'a Datum)>, types: &Types, out: &mut String) {
    out.push('[');
    for (at, (ty, element)) in each.enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        write_json(types, ty, element, out);
    }
    out.push(']');
}

fn write_float(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        write_float_repr(value, out);
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Reads a value of this type from JSON text, which may have Python's `NaN`, `Infinity` and `-Infinity`.
pub fn from_json(types: &Types, ty: TypeId, text: &str) -> Result<Datum, JsonError> {
    let json = text::parse(text).map_err(|(expected, found)| JsonError {
        path: Path::default(),
        expected,
        found,
        did_you_mean: None,
    })?;
    Reader::new(types).read(ty, &json)
}

/// Reads a value of this type from JSON that is parsed already; a float that JSON itself can't write may stand in it as the
/// string `"NaN"`, `"Infinity"` or `"-Infinity"` (in text too).
pub fn from_value(types: &Types, ty: TypeId, value: &serde_json::Value) -> Result<Datum, JsonError> {
    Reader::new(types).read(ty, &Json::of(value))
}

/// How many values are looked at in all to find the member of a union that a value is of. Members inside members multiply.
const TRIES: u32 = 1_000_000;

struct Reader<'a> {
    types: &'a Types,
    path: Path,
    /// Whether a member of a union is being tried for its own sake: numbers are not converted.
    exact: bool,
    /// How many members are being tried inside each other.
    trying: u32,
    tries_left: u32,
}

impl Reader<'_> {
    fn new(types: &Types) -> Reader<'_> {
        Reader { types, path: Path::default(), exact: false, trying: 0, tries_left: TRIES }
    }

    fn error(&self, expected: impl Into<String>, found: impl Into<String>) -> JsonError {
        JsonError { path: self.path.clone(), expected: expected.into(), found: found.into(), did_you_mean: None }
    }

    fn inside(&mut self, part: Part, ty: TypeId, json: &Json) -> Result<Datum, JsonError> {
        self.path.push(part);
        let datum = self.read(ty, json)?;
        self.path.pop();
        Ok(datum)
    }

    fn read(&mut self, ty: TypeId, json: &Json) -> Result<Datum, JsonError> {
        let types = self.types;
        if self.trying > 0 {
            self.tries_left = self.tries_left.saturating_sub(1);
            if self.tries_left == 0 {
                let expected = "a value that shows which members of unions it is of";
                return Err(self.error(expected, format!("one that {TRIES} looks did not find out")));
            }
        }
        if let Type::Union(members) = types.get(ty) {
            return self.read_member(ty, members, json);
        }
        let holds_others =
            types.element(ty).is_some() || matches!(types.get(ty), Type::Dict(..) | Type::Tuple(_) | Type::Class(_));
        if holds_others && self.path.parts().len() >= DEPTH {
            self.path = Path::default();
            return Err(self.error(format!("at most {DEPTH} levels of nesting"), "more"));
        }
        match (types.get(ty), json) {
            (Type::None, Json::Null) => Ok(Datum::None),
            (Type::Bool, Json::Bool(value)) => Ok(Datum::Bool(*value)),
            (Type::Int, Json::Bool(value)) if !self.exact => Ok(Datum::Int(i64::from(*value))),
            (Type::Int, Json::Number(text)) => match text.parse() {
                Ok(value) => Ok(Datum::Int(value)),
                Err(_) if text.contains(['.', 'e', 'E', 'N', 'I']) => Err(self.error("int", json.to_string())),
                Err(_) => Err(self.error("an int of 64 bits", json.to_string())),
            },
            (Type::Float, Json::Bool(value)) if !self.exact => Ok(Datum::Float(f64::from(u8::from(*value)))),
            (Type::Float, Json::Number(text)) if !self.exact || text.contains(['.', 'e', 'E', 'N', 'I']) => {
                match text.as_str() {
                    "NaN" => Ok(Datum::Float(f64::NAN)),
                    "Infinity" => Ok(Datum::Float(f64::INFINITY)),
                    "-Infinity" => Ok(Datum::Float(f64::NEG_INFINITY)),
                    number => number.parse().map(Datum::Float).map_err(|_| self.error("float", json.to_string())),
                }
            }
            (Type::Float, Json::String(text)) if !self.exact => match text.as_str() {
                "NaN" => Ok(Datum::Float(f64::NAN)),
                "Infinity" => Ok(Datum::Float(f64::INFINITY)),
                "-Infinity" => Ok(Datum::Float(f64::NEG_INFINITY)),
                _ => Err(self.error("float", json.to_string())),
            },
            (Type::Str, Json::String(text)) => Ok(Datum::Str(text.clone())),
            (Type::Bytes, Json::Object(entries)) => match entries.as_slice() {
                [(name, Json::String(text))] if name == "$bytes" => {
                    let bytes = LENIENT.decode(text).map_err(|e| self.error("base64", format!("{json} ({e})")))?;
                    Ok(Datum::Bytes(bytes))
                }
                _ => Err(self.error("{\"$bytes\": base64}", json.to_string())),
            },
            (Type::Bytes, other) => Err(self.error("{\"$bytes\": base64}", other.to_string())),
            (Type::List(element), Json::Array(elements)) => Ok(Datum::List(self.elements(*element, elements)?)),
            (Type::TupleOf(element), Json::Array(elements)) => Ok(Datum::Tuple(self.elements(*element, elements)?)),
            (Type::Set(element) | Type::FrozenSet(element), Json::Array(elements)) => {
                Ok(Datum::Set(self.elements(*element, elements)?))
            }
            (Type::Tuple(parts), Json::Array(elements)) => {
                if parts.len() != elements.len() {
                    let name = types.name(ty);
                    return Err(self.error(name, format!("an array of {}", elements.len())));
                }
                let each = parts.iter().zip(elements).enumerate();
                let each = each.map(|(at, (part, e))| self.inside(Part::Index(at), *part, e));
                Ok(Datum::Tuple(each.collect::<Result<_, _>>()?))
            }
            (Type::Dict(key, value), Json::Object(entries)) if *key == types::STR => {
                let mut datums: Vec<(Datum, Datum)> = Vec::with_capacity(entries.len());
                for (name, entry) in entries {
                    let entry = self.inside(key_part(name), *value, entry)?;
                    datums.push((Datum::Str(name.clone()), entry));
                }
                Ok(Datum::Dict(datums))
            }
            (Type::Dict(key, value), _) if *key != types::STR => self.read_dict(*key, *value, json),
            (Type::Class(class), json) if types.enumeration(*class).is_some() => {
                let value = self.read(slot_type(types, ty, 1), json)?;
                match types.enumeration(*class) {
                    Some(e) if e.member(&value).is_none() => {
                        let expected = format!("a value of {} ({})", types.class(*class).name, e.values());
                        Err(self.error(expected, json.to_string()))
                    }
                    _ => Ok(value),
                }
            }
            (Type::Class(class), Json::Object(entries)) => self.read_object(*class, entries),
            (Type::Class(class), other) => {
                let expected = format!("an object with the fields of {}", types.class(*class).name);
                Err(self.error(expected, other.to_string()))
            }
            (Type::Queue(_) | Type::Lock | Type::WaitGroup, _) => {
                let found = format!("the type {}, which can't enter an isolate", types.name(ty));
                Err(self.error("a value", found))
            }
            (_, other) => Err(self.error(types.name(ty), other.to_string())),
        }
    }

    fn elements(&mut self, element: TypeId, elements: &[Json]) -> Result<Vec<Datum>, JsonError> {
        elements.iter().enumerate().map(|(at, e)| self.inside(Part::Index(at), element, e)).collect()
    }

    /// A value of a union: of the first member, as the type orders them, that fits without converting a number, else of the
    /// first that fits.
    fn read_member(&mut self, union: TypeId, members: &[TypeId], json: &Json) -> Result<Datum, JsonError> {
        let those =
            |looks| members.iter().copied().filter(|m| self.is_likely(*m, json, looks)).collect::<Vec<TypeId>>();
        let likely = Some(those(true)).filter(|l| !l.is_empty()).unwrap_or_else(|| those(false));
        if let [one] = likely[..] {
            // Only it can say what is wrong inside.
            let value = self.read(one, json)?;
            return Ok(as_member(self.types, union, one, value));
        }
        let mut first_error = None;
        for exact in [true, false] {
            if self.exact && !exact {
                break;
            }
            for member in &likely {
                let (path, was_exact) = (self.path.clone(), std::mem::replace(&mut self.exact, exact));
                self.trying += 1;
                let read = self.read(*member, json);
                self.trying -= 1;
                self.exact = was_exact;
                match read {
                    Ok(value) => return Ok(as_member(self.types, union, *member, value)),
                    Err(error) if self.tries_left == 0 => return Err(error),
                    Err(error) => {
                        first_error.get_or_insert(error);
                        self.path = path;
                    }
                }
            }
        }
        // What is wrong inside of an array or object is told for the first member that it may be of.
        match first_error.filter(|error| error.path.parts().len() > self.path.parts().len()) {
            Some(error) => Err(error),
            None => Err(self.error(self.types.name(union), json.to_string())),
        }
    }

    /// Whether a value may be of a member of a union, as far as its kind shows; with `looks`, its names and length too.
    fn is_likely(&self, member: TypeId, json: &Json, looks: bool) -> bool {
        let types = self.types;
        match (types.get(member), json) {
            (Type::None, Json::Null)
            | (Type::Bool, Json::Bool(_))
            | (Type::Int | Type::Float, Json::Bool(_) | Json::Number(_))
            | (Type::Str, Json::String(_))
            | (Type::List(_) | Type::TupleOf(_) | Type::Set(_) | Type::FrozenSet(_), Json::Array(_)) => true,
            (Type::Float, Json::String(text)) => matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity"),
            (Type::Tuple(parts), Json::Array(elements)) => !looks || parts.len() == elements.len(),
            (Type::Bytes, Json::Object(entries)) => matches!(&entries[..], [(name, _)] if name == "$bytes"),
            (Type::Dict(key, _), Json::Object(entries)) => {
                *key == types::STR || entries.is_empty() || matches!(&entries[..], [(name, _)] if name == "$dict")
            }
            (Type::Class(class), json) if types.enumeration(*class).is_some() => {
                let value = match json {
                    Json::Number(text) => text.parse().ok().map(Datum::Int),
                    Json::String(text) => Some(Datum::Str(text.clone())),
                    _ => None,
                };
                let of_kind = |m: &Member| {
                    matches!(
                        (&m.value, json),
                        (MemberValue::Int(_), Json::Number(_)) | (MemberValue::Str(_), Json::String(_))
                    )
                };
                types.enumeration(*class).is_some_and(|e| match value {
                    value if looks => value.is_some_and(|value| e.member(&value).is_some()),
                    _ => e.members.iter().any(of_kind),
                })
            }
            (Type::Class(class), Json::Object(entries)) => {
                let class = types.class(*class);
                let known = !looks || entries.iter().all(|(name, _)| class.field(name).is_some());
                known && (!looks || class.fields.iter().all(|f| entries.iter().any(|(name, _)| *name == f.name)))
            }
            _ => false,
        }
    }

    fn read_dict(&mut self, key: TypeId, value: TypeId, json: &Json) -> Result<Datum, JsonError> {
        const FORM: &str = "{\"$dict\": [[key, value], …]}";
        let pairs = match json {
            Json::Object(entries) => match entries.as_slice() {
                [] => return Ok(Datum::Dict(Vec::new())),
                [(name, Json::Array(pairs))] if name == "$dict" => pairs,
                _ => return Err(self.error(FORM, json.to_string())),
            },
            other => return Err(self.error(FORM, other.to_string())),
        };
        let mut entries = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let Json::Array(pair) = pair else {
                return Err(self.error("[key, value]", pair.to_string()));
            };
            let [k, v] = pair.as_slice() else {
                return Err(self.error("[key, value]", format!("an array of {}", pair.len())));
            };
            let part = key_part(&k.to_string());
            let k = self.inside(part.clone(), key, k)?;
            entries.push((k, self.inside(part, value, v)?));
        }
        Ok(Datum::Dict(entries))
    }

    fn read_object(&mut self, class: ClassId, entries: &[(String, Json)]) -> Result<Datum, JsonError> {
        let class = self.types.class(class);
        let mut slots: Vec<Option<Datum>> = vec![None; class.fields.len()];
        for (name, entry) in entries {
            let Some(index) = class.field(name) else {
                let names: Vec<&str> = class.fields.iter().map(|f| f.name.as_str()).collect();
                let expected = if names.is_empty() {
                    format!("no field, since {} has none", class.name)
                } else {
                    format!("fields of {} ({})", class.name, names.join(", "))
                };
                let mut error = self.error(expected, format!("field `{name}`"));
                error.did_you_mean = nearest(name, names.into_iter()).map(str::to_owned);
                return Err(error);
            };
            if slots[index].is_some() {
                return Err(self.error(format!("field `{name}` once"), "it twice"));
            }
            slots[index] = Some(self.inside(Part::Field(name.clone()), class.fields[index].ty, entry)?);
        }
        if let Some(missing) = slots.iter().position(Option::is_none) {
            let field = &class.fields[missing];
            let expected = format!("field `{}` ({}) of {}", field.name, self.types.name(field.ty), class.name);
            return Err(self.error(expected, "an object without it"));
        }
        Ok(Datum::Object(slots.into_iter().flatten().collect()))
    }
}

fn key_part(name: &str) -> Part {
    let mut shown: String = name.chars().take(40).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    Part::Key(shown)
}

/// The candidate that a mistyped name is closest to, if it is close: at most a third of its letters differ.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A very long name is no slip of the finger.
    if name.len() > 100 {
        return None;
    }
    let close = candidates.filter_map(|candidate| {
        let distance = edits(&name.to_lowercase(), &candidate.to_lowercase());
        let letters = name.chars().count().max(candidate.chars().count());
        (distance * 3 <= letters.max(3)).then_some((distance, candidate))
    });
    close.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// How many letters have to be added, removed or replaced, or neighbours swapped, to make one text of the other.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let (above, left) = (rows[i - 1][j] + 1, row[j - 1] + 1);
            let mut best = above.min(left).min(rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
