//! Python literals, as the cases have them.

use crate::datum::Datum;
use crate::entity::TypeId;
use crate::types::{self, Type, Types};

/// Reads arguments up to the closing parenthesis; gives them and what follows it.
pub(crate) fn arguments(text: &str) -> (Vec<Datum>, &str) {
    let mut reader = Reader { rest: text };
    let args = reader.until(')');
    (args, reader.rest)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, wanted: &str) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn until(&mut self, end: char) -> Vec<Datum> {
        let mut all = Vec::new();
        while !self.take(&end.to_string()) {
            all.push(self.value());
            self.take(",");
            self.take(" ");
        }
        all
    }

    fn value(&mut self) -> Datum {
        for (word, datum) in [
            ("None", Datum::None),
            ("True", Datum::Bool(true)),
            ("False", Datum::Bool(false)),
            ("nan", Datum::Float(f64::NAN)),
            ("inf", Datum::Float(f64::INFINITY)),
            ("-inf", Datum::Float(f64::NEG_INFINITY)),
        ] {
            if self.take(word) {
                return datum;
            }
        }
        if self.take("set()") {
            return Datum::Set(Vec::new());
        }
        if self.take("[") {
            return Datum::List(self.until(']'));
        }
        if self.take("(") {
            return Datum::Tuple(self.until(')'));
        }
        if self.take("{") {
            let (mut entries, mut elements) = (Vec::new(), Vec::new());
            while !self.take("}") {
                let key = self.value();
                match self.take(": ") {
                    true => entries.push((key, self.value())),
                    false => elements.push(key),
                }
                self.take(", ");
            }
            return if elements.is_empty() { Datum::Dict(entries) } else { Datum::Set(elements) };
        }
        if self.rest.starts_with("b'") || self.rest.starts_with("b\"") {
            self.take("b");
            return Datum::Bytes(self.quoted().into_iter().map(|c| u8::try_from(u32::from(c)).unwrap()).collect());
        }
        if self.rest.starts_with(['\'', '"']) {
            return Datum::Str(self.quoted().into_iter().collect());
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        match number.parse() {
            Ok(int) => Datum::Int(int),
            Err(_) => Datum::Float(number.parse().unwrap_or_else(|_| panic!("{number:?} is no literal"))),
        }
    }

    fn quoted(&mut self) -> Vec<char> {
        let mut chars = self.rest.chars();
        let quote = chars.next().unwrap();
        let mut out = Vec::new();
        loop {
            match chars.next().unwrap() {
                c if c == quote => break,
                '\\' => {
                    let c = chars.next().unwrap();
                    let digits = match c {
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    out.push(match c {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        _ if digits == 0 => c,
                        _ => {
                            let code: String = chars.by_ref().take(digits).collect();
                            char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
                        }
                    });
                }
                c => out.push(c),
            }
        }
        self.rest = chars.as_str();
        out
    }
}

/// The type of a literal, if nothing in it is empty.
pub(crate) fn infer(types: &mut Types, datum: &Datum) -> Option<TypeId> {
    let ty = match datum {
        Datum::None => return Some(types::NONE),
        Datum::Bool(_) => return Some(types::BOOL),
        Datum::Int(_) => return Some(types::INT),
        Datum::Float(_) => return Some(types::FLOAT),
        Datum::Str(_) => return Some(types::STR),
        Datum::Bytes(_) => return Some(types::BYTES),
        Datum::List(elements) => Type::List(elements.iter().find_map(|e| infer(types, e))?),
        Datum::Dict(entries) => {
            let key = entries.iter().find_map(|(k, _)| infer(types, k))?;
            Type::Dict(key, entries.iter().find_map(|(_, v)| infer(types, v))?)
        }
        Datum::Tuple(parts) => Type::Tuple(parts.iter().map(|p| infer(types, p)).collect::<Option<_>>()?),
        Datum::Set(elements) => Type::Set(elements.iter().find_map(|e| infer(types, e))?),
        Datum::Object(_) | Datum::Member(..) => return None,
    };
    Some(types.intern(ty))
}
