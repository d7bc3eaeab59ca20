//! Durable calls that the engine answers itself. A program declares them as impure host functions under names that no function of a
//! user can have, and so they are numbered, written down and repeated as every durable call is; only who answers differs.
//!
//! Names and parameters are stored in programs: rows are append-only and their meaning is frozen.

use crate::entity::TypeId;
use crate::types::{BYTES, FLOAT, STR, Type, Types};

/// A durable call of the engine's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Durable {
    /// Waits for a request to a route and gives its body.
    HttpListen,
    /// Sends a request and gives the body of the response.
    HttpRequest,
}

impl Durable {
    /// Every one.
    pub const ALL: &'static [Durable] = &[Durable::HttpListen, Durable::HttpRequest];

    /// The name of its host function.
    pub const fn name(self) -> &'static str {
        match self {
            Durable::HttpListen => "deepslate.http_listen",
            Durable::HttpRequest => "deepslate.http_request",
        }
    }

    /// The one whose host function has this name.
    pub fn from_name(name: &str) -> Option<Durable> {
        Durable::ALL.iter().copied().find(|durable| durable.name() == name)
    }

    /// Its parameters: name and type.
    pub fn params(self, types: &mut Types) -> Vec<(&'static str, TypeId)> {
        match self {
            Durable::HttpListen => vec![("method", STR), ("route", STR), ("timeout", FLOAT)],
            Durable::HttpRequest => {
                let headers = types.intern(Type::Dict(STR, STR));
                vec![("method", STR), ("url", STR), ("headers", headers), ("body", BYTES), ("timeout", FLOAT)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name_which_no_function_of_a_user_has() {
        for durable in Durable::ALL {
            assert_eq!(Durable::from_name(durable.name()), Some(*durable));
            assert!(durable.name().contains('.'));
            assert!(!durable.params(&mut Types::new()).is_empty());
        }
        assert_eq!(Durable::from_name("http_listen"), None);
    }
}
