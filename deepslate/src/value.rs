//! Values between the user's Rust types and a flow's: serde on one side, the declared types of the program on the other.
//!
//! A struct is a dataclass by its fields, a sequence a list or a tuple, a map a dict, bytes are bytes. What does not fit the
//! declared type is an error that says where.

mod de;
mod ser;

use std::fmt;

use deepslate_ir::datum::{self, Datum};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::{Module, Param, completed};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError(pub String);

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ValueError {}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> ValueError {
        ValueError(message.to_string())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> ValueError {
        ValueError(message.to_string())
    }
}

/// A Rust value as a value of this type of the program.
///
/// # Errors
/// A value that is not of the type.
pub fn to_datum<T: Serialize + ?Sized>(module: &Module, ty: TypeId, value: &T) -> Result<Datum, ValueError> {
    let datum = value.serialize(ser::Serializer::new(&module.types, ser::Shape::Type(ty)))?;
    datum::check(&module.types, ty, &datum).map_err(ValueError)?;
    Ok(datum)
}

/// A Rust value as arguments: a struct or map by the names of the parameters, a tuple or sequence by position, `()` for
/// none.
///
/// # Errors
/// Arguments that don't fit the parameters.
pub fn to_args<T: Serialize + ?Sized>(module: &Module, params: &[Param], value: &T) -> Result<Vec<Datum>, ValueError> {
    let shape = ser::Shape::Params(params);
    let args = match value.serialize(ser::Serializer::new(&module.types, shape))? {
        Datum::Object(args) => args,
        Datum::None => Vec::new(),
        _ => {
            let what =
                "arguments are given as a tuple (of one: `(3,)`) or as a struct with the names of the parameters";
            return Err(ValueError(what.into()));
        }
    };
    let args = completed(&module.types, params, args);
    if args.len() != params.len() {
        return Err(ValueError(format!("{} arguments given, {} wanted", args.len(), params.len())));
    }
    for (param, arg) in params.iter().zip(&args) {
        datum::check(&module.types, param.ty, arg)
            .map_err(|what| ValueError(format!("argument `{}`: {what}", param.name)))?;
    }
    Ok(args)
}

/// A value of this type of the program as a Rust value.
///
/// # Errors
/// A Rust type that the value does not fit.
pub fn from_datum<T: DeserializeOwned>(module: &Module, ty: TypeId, datum: &Datum) -> Result<T, ValueError> {
    T::deserialize(de::Deserializer { types: &module.types, ty, datum })
}

/// Arguments as a Rust tuple, by position.
///
/// # Errors
/// A tuple that they don't fit.
pub(crate) fn from_args<T: DeserializeOwned>(
    module: &Module,
    params: &[Param],
    args: &[Datum],
) -> Result<T, ValueError> {
    T::deserialize(de::Arguments { types: &module.types, params, args })
}

#[cfg(test)]
mod tests;
