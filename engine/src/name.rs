//! Names of isolates: what may be one. They appear in URLs, so the characters are those that need no escape there.

use crate::error::{Error, Kind, Result};
use crate::limits::NAME_BYTES_MAX;

/// Refuses a text that can't be an isolate's name: `[A-Za-z0-9._~-]{1,200}`.
pub fn check_name(name: &str) -> Result<()> {
    let refuse = |what: String| Err(Error::new(Kind::BadName, "name", what));
    if name.is_empty() {
        return refuse("an isolate's name can't be empty".into());
    }
    if name.len() > NAME_BYTES_MAX {
        return refuse(format!(
            "an isolate's name has at most {NAME_BYTES_MAX} characters; this one has {}",
            name.len()
        ));
    }
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | '-');
    match name.chars().find(|c| !fits(c)) {
        Some(c) => refuse(format!("an isolate's name has letters, digits and . _ ~ - only; `{name}` has {c:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_are_what_needs_no_escape() {
        for good in ["a", "order-7", "A.b_c~9", &"x".repeat(200)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "é", "a\n", "a?b", &"x".repeat(201)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
