//! Values between Python and an isolate's border, by the declared type. Built straight through Python's C interface, never by
//! way of JSON, which costs five to six times as much.
//!
//! An error names the place inside the value, what is expected there and what was found.

use deepslate::ir::datum::{DEPTH, Datum, as_member, member_of};
use deepslate::ir::entity::TypeId;
use deepslate::ir::enums::Enum;
use deepslate::ir::types::{self, Type, Types};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};
use std::collections::HashMap;

/// What makes an object of each of a program's classes of its fields by name, or a member of an enumeration of its value; by the
/// class's name. It is the class itself where that does nothing else.
pub type Classes = HashMap<String, Py<PyAny>>;

/// The value as a datum of this type. `place` names the argument, result or constant that it is.
pub fn to_datum(types: &Types, ty: TypeId, value: &Bound<'_, PyAny>, place: &str) -> PyResult<Datum> {
    Reader { types, place: place.to_owned(), depth: 0, exact: false, tries_left: None }.read(ty, value)
}

/// How many values are looked at in all to find the member of a union that a list, dict or tuple is of.
const TRIES: u32 = 1_000_000;

struct Reader<'a> {
    types: &'a Types,
    place: String,
    depth: usize,
    /// Whether a member of a union is being tried for its own sake: numbers are not converted.
    exact: bool,
    /// How many more values may be looked at, while a member of a union is being tried.
    tries_left: Option<u32>,
}

impl Reader<'_> {
    fn mismatch(&self, ty: TypeId, value: &Bound<'_, PyAny>) -> PyErr {
        let found = value.get_type().name().map_or_else(|_| "another type".to_owned(), |n| n.to_string());
        PyTypeError::new_err(format!("{}: expected {}, found {found}", self.place, self.types.name(ty)))
    }

    /// Reads a part of the value, whose place is this one with `step` behind it.
    fn part(&mut self, step: &str, ty: TypeId, value: &Bound<'_, PyAny>) -> PyResult<Datum> {
        let whole = self.place.len();
        self.place.push_str(step);
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(PyTypeError::new_err(format!("{}: nested more than {DEPTH} levels deep", self.place)));
        }
        let datum = self.read(ty, value)?;
        self.depth -= 1;
        self.place.truncate(whole);
        Ok(datum)
    }

    /// A value of a union: of the first member, as the type orders them, that fits without converting a number, else of the
    /// first that fits.
    fn member(&mut self, union: TypeId, members: &[TypeId], value: &Bound<'_, PyAny>) -> PyResult<Datum> {
        let mut likely = Vec::new();
        for member in members {
            if is_likely(self.types, *member, value)? {
                likely.push(*member);
            }
        }
        // An IntEnum is an int as well, and a NamedTuple a tuple.
        if let Some(own) = likely.iter().copied().find(|member| is_own_class(self.types, *member, value)) {
            likely = vec![own];
        }
        if let [one] = likely[..] {
            // Only it can say what is wrong inside.
            let datum = self.read(one, value)?;
            return Ok(as_member(self.types, union, one, datum));
        }
        let (place, depth, exact) = (self.place.len(), self.depth, self.exact);
        let outermost = self.tries_left.is_none();
        self.tries_left.get_or_insert(TRIES);
        let mut found = Err(self.mismatch(union, value));
        'tries: for exactly in [true, false] {
            for member in likely.iter().filter(|_| exactly || !exact) {
                self.exact = exactly;
                let read = self.read(*member, value);
                self.exact = exact;
                self.depth = depth;
                if read.is_ok() || self.tries_left == Some(0) {
                    found = read.map(|datum| as_member(self.types, union, *member, datum));
                    break 'tries;
                }
                self.place.truncate(place);
            }
        }
        if outermost {
            self.tries_left = None;
        }
        found
    }

    fn read(&mut self, ty: TypeId, value: &Bound<'_, PyAny>) -> PyResult<Datum> {
        let types = self.types;
        if let Some(left) = &mut self.tries_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let message = format!("{TRIES} looks did not show which members of unions it is of");
                return Err(PyTypeError::new_err(format!("{}: {message}", self.place)));
            }
        }
        match types.get(ty) {
            Type::Union(members) => self.member(ty, members, value),
            Type::Int if self.exact && value.is_instance_of::<PyBool>() => Err(self.mismatch(ty, value)),
            Type::Float if self.exact && !value.is_instance_of::<PyFloat>() => Err(self.mismatch(ty, value)),
            Type::None if value.is_none() => Ok(Datum::None),
            Type::Bool => match value.cast::<PyBool>() {
                Ok(flag) => Ok(Datum::Bool(flag.is_true())),
                Err(_) => Err(self.mismatch(ty, value)),
            },
            Type::Int => match value.cast::<PyInt>() {
                Ok(number) => number.extract().map(Datum::Int).map_err(|_| {
                    PyOverflowError::new_err(format!(
                        "{}: {value} does not fit int, which has 64 bits in a flow",
                        self.place
                    ))
                }),
                Err(_) => Err(self.mismatch(ty, value)),
            },
            Type::Float if value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>() => {
                let too_large =
                    |_| PyOverflowError::new_err(format!("{}: an int that is too large for float", self.place));
                value.extract().map(Datum::Float).map_err(too_large)
            }
            Type::Str => match value.cast::<PyString>() {
                Ok(text) => {
                    let half = |_| {
                        let what = "a str with half of a surrogate pair, which no text of a flow has";
                        PyTypeError::new_err(format!("{}: {what}", self.place))
                    };
                    Ok(Datum::Str(text.to_cow().map_err(half)?.into_owned()))
                }
                Err(_) => Err(self.mismatch(ty, value)),
            },
            Type::Bytes => match value.cast::<PyBytes>() {
                Ok(bytes) => Ok(Datum::Bytes(bytes.as_bytes().to_vec())),
                Err(_) => Err(self.mismatch(ty, value)),
            },
            Type::List(element) => {
                let list = value.cast::<PyList>().map_err(|_| self.mismatch(ty, value))?;
                let mut parts = Vec::with_capacity(list.len());
                for (index, part) in list.iter().enumerate() {
                    parts.push(self.part(&format!("[{index}]"), *element, &part)?);
                }
                Ok(Datum::List(parts))
            }
            Type::Dict(key_type, value_type) => {
                let dict = value.cast::<PyDict>().map_err(|_| self.mismatch(ty, value))?;
                let mut entries = Vec::with_capacity(dict.len());
                for (key, part) in dict.iter() {
                    let step = format!("[{}]", key.repr()?.to_cow()?);
                    entries.push((self.part(&step, *key_type, &key)?, self.part(&step, *value_type, &part)?));
                }
                Ok(Datum::Dict(entries))
            }
            Type::TupleOf(element) => {
                let tuple = value.cast::<PyTuple>().map_err(|_| self.mismatch(ty, value))?;
                let parts = tuple.iter().enumerate();
                let parts = parts.map(|(i, part)| self.part(&format!("[{i}]"), *element, &part));
                parts.collect::<PyResult<_>>().map(Datum::Tuple)
            }
            Type::Set(element) | Type::FrozenSet(element) => {
                let frozen = matches!(types.get(ty), Type::FrozenSet(_));
                let fits = if frozen { value.is_instance_of::<PyFrozenSet>() } else { value.is_instance_of::<PySet>() };
                if !fits {
                    return Err(self.mismatch(ty, value));
                }
                let mut parts = Vec::new();
                for part in value.try_iter()? {
                    let part = part?;
                    let step = format!("[{}]", part.repr()?.to_cow()?);
                    parts.push(self.part(&step, *element, &part)?);
                }
                Ok(Datum::Set(parts))
            }
            Type::Tuple(wanted) => {
                let tuple = value.cast::<PyTuple>().map_err(|_| self.mismatch(ty, value))?;
                if tuple.len() != wanted.len() {
                    return Err(self.mismatch(ty, value));
                }
                let parts = wanted.iter().zip(tuple.iter()).enumerate();
                parts
                    .map(|(i, (ty, part))| self.part(&format!("[{i}]"), *ty, &part))
                    .collect::<PyResult<_>>()
                    .map(Datum::Tuple)
            }
            Type::Class(class) if types.enumeration(*class).is_some() => {
                // A member of the Python class, or its value.
                let plain = if is_own_class(types, ty, value) { value.getattr("value")? } else { value.clone() };
                let inner = types.class(*class).fields.get(1).map_or(ty, |f| f.ty);
                self.read(inner, &plain)
            }
            Type::Class(class) => {
                let class = types.class(*class);
                if !is_own_class(types, ty, value) {
                    return Err(self.mismatch(ty, value));
                }
                let fields = class.fields.iter();
                fields
                    .map(|field| {
                        let part = value.getattr(field.name.as_str()).map_err(|_| {
                            let what = format!("a {} without `{}`", class.name, field.name);
                            PyTypeError::new_err(format!("{}: {what}", self.place))
                        })?;
                        self.part(&format!(".{}", field.name), field.ty, &part)
                    })
                    .collect::<PyResult<_>>()
                    .map(Datum::Object)
            }
            Type::None | Type::Float | Type::Queue(_) | Type::Lock | Type::WaitGroup => Err(self.mismatch(ty, value)),
        }
    }
}

/// Whether a value is an object of the Python class of this name.
fn is_own_class(types: &Types, ty: TypeId, value: &Bound<'_, PyAny>) -> bool {
    let Type::Class(class) = types.get(ty) else { return false };
    value.get_type().name().is_ok_and(|name| name.to_cow().is_ok_and(|name| name == types.class(*class).name))
}

/// Whether a value may be of a member of a union, as far as its outside shows.
fn is_likely(types: &Types, member: TypeId, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(match types.get(member) {
        Type::None => value.is_none(),
        Type::Bool => value.is_instance_of::<PyBool>(),
        Type::Int => value.is_instance_of::<PyInt>(),
        Type::Float => value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>(),
        Type::Str => value.is_instance_of::<PyString>(),
        Type::Bytes => value.is_instance_of::<PyBytes>(),
        Type::List(_) => value.is_instance_of::<PyList>(),
        Type::Dict(..) => value.is_instance_of::<PyDict>(),
        Type::Tuple(parts) => value.cast::<PyTuple>().is_ok_and(|tuple| tuple.len() == parts.len()),
        Type::TupleOf(_) => value.is_instance_of::<PyTuple>(),
        Type::Set(_) => value.is_instance_of::<PySet>(),
        Type::FrozenSet(_) => value.is_instance_of::<PyFrozenSet>(),
        Type::Class(class) => {
            let is_value = |e: &Enum| {
                let text =
                    value.cast::<PyString>().ok().and_then(|text| Some(Datum::Str(text.to_cow().ok()?.into_owned())));
                let number = || value.cast_exact::<PyInt>().ok().and_then(|n| n.extract().ok()).map(Datum::Int);
                text.or_else(number).is_some_and(|value| e.member(&value).is_some())
            };
            is_own_class(types, member, value) || types.enumeration(*class).is_some_and(is_value)
        }
        Type::Queue(_) | Type::Lock | Type::WaitGroup | Type::Union(_) => false,
    })
}

/// The datum as a Python value. The datum must fit the type, as everything does that the engine gives.
pub fn to_python<'py>(
    py: Python<'py>,
    types: &Types,
    classes: &Classes,
    ty: TypeId,
    datum: &Datum,
) -> PyResult<Bound<'py, PyAny>> {
    let odd = || PyTypeError::new_err(format!("a value of type {} arrived as {}", types.name(ty), datum.kind()));
    if let Some((member, value)) = member_of(types, ty, datum) {
        return to_python(py, types, classes, member, value);
    }
    Ok(match (datum, types.get(ty)) {
        (value, Type::Class(class)) if types.enumeration(*class).is_some() => {
            let inner = types.class(*class).fields.get(1).ok_or_else(odd)?.ty;
            let plain = to_python(py, types, classes, inner, value)?;
            match classes.get(&types.class(*class).name) {
                Some(python) => python.bind(py).call1((plain,))?,
                None => plain,
            }
        }
        (Datum::None, _) => py.None().into_bound(py),
        (Datum::Bool(flag), _) => PyBool::new(py, *flag).to_owned().into_any(),
        (Datum::Int(number), _) => number.into_pyobject(py)?.into_any(),
        (Datum::Float(number), _) => PyFloat::new(py, *number).into_any(),
        (Datum::Str(text), _) => PyString::new(py, text).into_any(),
        (Datum::Bytes(bytes), _) => PyBytes::new(py, bytes).into_any(),
        (Datum::List(parts), Type::List(element)) => {
            let list = PyList::empty(py);
            for part in parts {
                list.append(to_python(py, types, classes, *element, part)?)?;
            }
            list.into_any()
        }
        (Datum::Dict(entries), Type::Dict(key_type, value_type)) => {
            let dict = PyDict::new(py);
            for (key, value) in entries {
                let key = to_python(py, types, classes, *key_type, key)?;
                dict.set_item(key, to_python(py, types, classes, *value_type, value)?)?;
            }
            dict.into_any()
        }
        (Datum::Tuple(parts), Type::TupleOf(element)) => {
            let parts = parts.iter().map(|part| to_python(py, types, classes, *element, part));
            PyTuple::new(py, parts.collect::<PyResult<Vec<_>>>()?)?.into_any()
        }
        (Datum::Set(parts), Type::Set(element) | Type::FrozenSet(element)) => {
            let parts = parts.iter().map(|part| to_python(py, types, classes, *element, part));
            let parts = parts.collect::<PyResult<Vec<_>>>()?;
            match types.get(ty) {
                Type::FrozenSet(_) => PyFrozenSet::new(py, parts)?.into_any(),
                _ => PySet::new(py, parts)?.into_any(),
            }
        }
        (Datum::Tuple(parts), Type::Tuple(wanted)) if parts.len() == wanted.len() => {
            let parts = wanted.iter().zip(parts).map(|(ty, part)| to_python(py, types, classes, *ty, part));
            PyTuple::new(py, parts.collect::<PyResult<Vec<_>>>()?)?.into_any()
        }
        (Datum::Object(slots), Type::Class(class)) => {
            let class = types.class(*class);
            let python = classes.get(&class.name).ok_or_else(|| {
                PyTypeError::new_err(format!(
                    "the dataclass {} is not known to this process: pass the flows that use it",
                    class.name
                ))
            })?;
            let fields = PyDict::new(py);
            for (field, slot) in class.fields.iter().zip(slots) {
                fields.set_item(&field.name, to_python(py, types, classes, field.ty, slot)?)?;
            }
            python.bind(py).call((), Some(&fields))?
        }
        _ => return Err(odd()),
    })
}

/// A value as JSON, by what it is: its type is known only to the isolate that it goes to, which reads it by that. `place` names
/// what it is.
pub fn to_json(value: &Bound<'_, PyAny>, place: &str) -> PyResult<String> {
    let mut out = String::new();
    write_json(value, place, 0, &mut out)?;
    Ok(out)
}

fn write_json(value: &Bound<'_, PyAny>, place: &str, depth: usize, out: &mut String) -> PyResult<()> {
    if depth > DEPTH {
        return Err(PyTypeError::new_err(format!("{place}: nested more than {DEPTH} levels deep")));
    }
    let scalar = |ty, datum| deepslate::ir::json::to_json(&Types::new(), ty, &datum);
    let quoted = |text: &str| scalar(types::STR, Datum::Str(text.to_owned()));
    let all = |out: &mut String, parts: &mut dyn Iterator<Item = PyResult<Bound<'_, PyAny>>>| -> PyResult<()> {
        out.push('[');
        for (index, part) in parts.enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            write_json(&part?, &format!("{place}[{index}]"), depth + 1, out)?;
        }
        out.push(']');
        Ok(())
    };
    let enumeration = value.py().import("enum")?.getattr("Enum")?;
    if value.is_instance(&enumeration)? {
        return write_json(&value.getattr("value")?, place, depth, out);
    }
    if value.is_none() {
        out.push_str("null");
    } else if let Ok(flag) = value.cast::<PyBool>() {
        out.push_str(if flag.is_true() { "true" } else { "false" });
    } else if value.is_instance_of::<PyInt>() {
        // Without its limit of 64 bits; the reader of the type says what does not fit.
        out.push_str(&value.py().get_type::<PyInt>().call_method1("__repr__", (value,))?.to_string());
    } else if value.is_instance_of::<PyFloat>() {
        out.push_str(&scalar(types::FLOAT, Datum::Float(value.extract()?)));
    } else if let Ok(text) = value.cast::<PyString>() {
        out.push_str(&quoted(&text.to_cow()?));
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        out.push_str(&scalar(types::BYTES, Datum::Bytes(bytes.as_bytes().to_vec())));
    } else if value.is_instance_of::<PyTuple>() && value.hasattr("_asdict")? {
        // A NamedTuple is an object by field.
        return write_json(&value.call_method0("_asdict")?, place, depth, out);
    } else if value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
    {
        all(out, &mut value.try_iter()?)?;
    } else if let Ok(dict) = value.cast::<PyDict>() {
        let texts = dict.keys().iter().all(|key| key.is_instance_of::<PyString>());
        out.push_str(if texts { "{" } else { "{\"$dict\":[" });
        for (index, (key, part)) in dict.iter().enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            let place = format!("{place}[{}]", key.repr()?.to_cow()?);
            out.push_str(if texts { "" } else { "[" });
            write_json(&key, &place, depth + 1, out)?;
            out.push_str(if texts { ":" } else { "," });
            write_json(&part, &place, depth + 1, out)?;
            out.push_str(if texts { "" } else { "]" });
        }
        out.push_str(if texts { "}" } else { "]}" });
    } else if let Ok(fields) = value.getattr("__dataclass_fields__") {
        out.push('{');
        for (index, name) in fields.try_iter()?.enumerate() {
            let name: String = name?.extract()?;
            out.push_str(if index > 0 { "," } else { "" });
            out.push_str(&quoted(&name));
            out.push(':');
            write_json(&value.getattr(name.as_str())?, &format!("{place}.{name}"), depth + 1, out)?;
        }
        out.push('}');
    } else {
        let found = value.get_type().name().map_or_else(|_| "another type".to_owned(), |n| n.to_string());
        return Err(PyTypeError::new_err(format!("{place}: a value of type {found} can't be sent to a flow")));
    }
    Ok(())
}
