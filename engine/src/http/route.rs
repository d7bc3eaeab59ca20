//! Routes: what a flow listens on, and what the path of a request asks for.

use std::fmt;

use crate::limits::{METHOD_BYTES_MAX, ROUTE_BYTES_MAX};

/// What a flow listens on: a method and a path below its isolate's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// The path, as plain text; begins with a slash.
    pub path: String,
    /// The method, in capital letters.
    pub method: String,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Route {
    /// A route as a flow names it, or what is wrong with it.
    pub(crate) fn named(method: &str, path: &str) -> Result<Route, String> {
        let wrong = |what: String| Err(format!("http_listen({method:?}, {path:?}): {what}"));
        if method.is_empty()
            || method.len() > METHOD_BYTES_MAX
            || !method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-')
        {
            return wrong("the method is a word in capital letters, such as \"POST\"".into());
        }
        if !path.starts_with('/') {
            return wrong("the route begins with a slash, such as \"/numbers\"".into());
        }
        if path.len() > ROUTE_BYTES_MAX {
            return wrong(format!("the route has at most {ROUTE_BYTES_MAX} bytes"));
        }
        if let Some(sign) = path.chars().find(|c| matches!(c, '?' | '#') || c.is_control()) {
            return wrong(format!("the route is a path, and has no {sign:?} in it"));
        }
        Ok(Route { path: path.to_owned(), method: method.to_owned() })
    }
}

/// The path of a request as plain text; none if it is no text.
pub(crate) fn decoded(path: &str) -> Option<String> {
    if !path.contains('%') {
        return Some(path.to_owned());
    }
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let (bytes, mut out, mut at) = (path.as_bytes(), Vec::with_capacity(path.len()), 0);
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let value = digit(bytes.get(at + 1))? * 16 + digit(bytes.get(at + 2))?;
            out.push(u8::try_from(value).ok()?);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

/// The isolate's name and the route below it that a path may mean.
pub(crate) fn split(path: &str) -> Option<(&str, &str)> {
    let below = path.strip_prefix('/')?;
    let slash = below.find('/')?;
    let (name, route) = below.split_at(slash);
    (!name.is_empty()).then_some((name, route))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_paths_and_methods_are_words() {
        assert_eq!(Route::named("POST", "/numbers").unwrap().to_string(), "POST /numbers");
        for (method, path, part) in [
            ("post", "/a", "capital"),
            ("", "/a", "capital"),
            ("P T", "/a", "capital"),
            ("GET", "a", "slash"),
            ("GET", "", "slash"),
            ("GET", "/a?b=1", "no '?'"),
            ("GET", "/a\n", "no '\\n'"),
        ] {
            let wrong = Route::named(method, path).unwrap_err();
            assert!(wrong.contains(part), "{wrong}");
        }
        assert!(Route::named("GET", &format!("/{}", "a".repeat(ROUTE_BYTES_MAX))).is_err());
    }

    #[test]
    fn paths_are_decoded_once() {
        assert_eq!(decoded("/a/b").as_deref(), Some("/a/b"));
        assert_eq!(decoded("/%C3%A9%2525").as_deref(), Some("/é%25"));
        for bad in ["/%", "/%4", "/%zz", "/%ff", "/a%"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_path_names_an_isolate_and_a_route() {
        assert_eq!(split("/order-7/approve/now"), Some(("order-7", "/approve/now")));
        assert_eq!(split("/order-7/"), Some(("order-7", "/")));
        for bare in ["/", "/numbers", "//numbers", "numbers", ""] {
            assert_eq!(split(bare), None, "{bare}");
        }
    }
}
