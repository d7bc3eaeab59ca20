//! The kinds of values that keys take, and how each is read from a file or from the environment.
//!
//! In the environment everything is text, so each kind reads text; a file says more, and a text where a number belongs is a
//! mistake there.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use deepslate_engine::limits::NAMESPACE_BYTES_MAX;
use deepslate_storage::backends::BACKENDS;

/// A value as it was given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// By the environment.
    Variable(String),
    /// A text in the file.
    Text(String),
    /// A number or a truth value in the file, as it is written there.
    Bare(String),
}

impl Given {
    pub(super) fn text(&self) -> &str {
        match self {
            Given::Variable(text) | Given::Text(text) | Given::Bare(text) => text,
        }
    }
}

/// A kind of value.
pub(super) trait Setting: Sized {
    /// In a word.
    const KIND: &'static str;
    /// Reads it; an error says what is taken.
    fn read(given: &Given) -> Result<Self, String>;
    /// As the file has it.
    fn show(&self) -> String;
}

fn wrong<T>(kind: &str, given: &Given) -> Result<T, String> {
    Err(match given {
        Given::Variable(text) | Given::Bare(text) => format!("`{text}` is not {kind}"),
        Given::Text(text) => format!("\"{text}\" is not {kind}"),
    })
}

impl Setting for String {
    const KIND: &'static str = "text";

    fn read(given: &Given) -> Result<String, String> {
        match given {
            Given::Variable(text) | Given::Text(text) => Ok(text.clone()),
            Given::Bare(_) => wrong("a text in quotes", given),
        }
    }

    fn show(&self) -> String {
        toml::Value::from(self.as_str()).to_string()
    }
}

fn number<T: FromStr>(kind: &str, given: &Given) -> Result<T, String> {
    match given {
        // A file may write `10_000`.
        Given::Bare(text) => text.replace('_', "").parse().or_else(|_| wrong(kind, given)),
        Given::Variable(text) => text.trim().replace('_', "").parse().or_else(|_| wrong(kind, given)),
        Given::Text(_) => wrong(kind, given),
    }
}

macro_rules! whole {
    ($($Kind:ty)*) => {$(
        impl Setting for $Kind {
            const KIND: &'static str = "whole number";

            fn read(given: &Given) -> Result<$Kind, String> {
                number(concat!("a whole number from 0 to ", stringify!($Kind), "'s largest"), given)
                    .map_err(|_| format!("`{}` is not a whole number from 0 to {}", given.text(), <$Kind>::MAX))
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

whole! { u32 u64 usize }

impl Setting for f64 {
    const KIND: &'static str = "number";

    fn read(given: &Given) -> Result<f64, String> {
        match number::<f64>("a number", given)? {
            value if value.is_finite() && value >= 0.0 => Ok(value),
            _ => wrong("a number that is 0 or more", given),
        }
    }

    fn show(&self) -> String {
        format!("{self:?}")
    }
}

/// Refuses a value outside of what a key takes.
pub(super) fn within<T: PartialOrd + Setting>(value: &T, range: &RangeInclusive<T>) -> Result<(), String> {
    if range.contains(value) {
        return Ok(());
    }
    Err(format!("`{}` is out of range: it takes {}", value.show(), show_range(range)))
}

/// A range in words.
pub(super) fn show_range<T: Setting>(range: &RangeInclusive<T>) -> String {
    format!("{} to {}", range.start().show(), range.end().show())
}

/// A backend of this build.
pub(super) fn backend(name: &str) -> Result<(), String> {
    let known = || BACKENDS.iter().map(|known| known.name);
    if known().any(|known| known == name) { Ok(()) } else { Err(super::load::unknown("backend", name, known())) }
}

/// A namespace.
pub(super) fn namespace(name: &str) -> Result<(), String> {
    match name.len() {
        1..=NAMESPACE_BYTES_MAX => Ok(()),
        length => Err(format!("it has {length} bytes: it takes 1 to {NAMESPACE_BYTES_MAX}")),
    }
}

/// A host and a port.
pub(super) fn address(address: &str) -> Result<(), String> {
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(()),
        _ => Err(format!("\"{address}\" is not a host and a port, as \"127.0.0.1:8080\"")),
    }
}

/// The same, or nothing.
pub(super) fn address_or_none(text: &str) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { address(text) }
}

/// When programs are compiled to machine code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JitMode {
    /// What is hot.
    #[default]
    On,
    /// Nothing.
    Off,
    /// Everything at first sight, for tests.
    Eager,
}

impl JitMode {
    const ALL: [(JitMode, &'static str); 3] = [(JitMode::On, "on"), (JitMode::Off, "off"), (JitMode::Eager, "eager")];
}

impl fmt::Display for JitMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(JitMode::ALL.iter().find(|(mode, _)| mode == self).map_or("on", |(_, word)| word))
    }
}

impl Setting for JitMode {
    const KIND: &'static str = "word";

    fn read(given: &Given) -> Result<JitMode, String> {
        let found = JitMode::ALL.iter().find(|(_, word)| *word == given.text());
        match (given, found) {
            (Given::Variable(_) | Given::Text(_), Some((mode, _))) => Ok(*mode),
            _ => wrong("one of \"on\", \"off\", \"eager\"", given),
        }
    }

    fn show(&self) -> String {
        self.to_string().show()
    }
}

/// Whether a backend's setting must not be printed.
pub(super) fn is_secret(key: &str) -> bool {
    ["dsn", "url", "password", "secret", "token"].iter().any(|word| key.contains(word))
}
