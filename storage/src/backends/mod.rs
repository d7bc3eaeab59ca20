//! The table of backends: from it come the config's choice, the error that lists what there is, and the command's help.
//!
//! To add one: a file here, its `mod` line, its row, and its optional dependency and feature in Cargo.toml. Nothing in this
//! file knows how a backend works.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::limits::SHARD_COUNT_MAX;
use crate::{Error, Kind, Result, Store};

#[cfg(feature = "embedded")]
pub mod embedded;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;

/// What opening a backend gives, sooner or later.
pub type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Store>>> + Send>>;

/// The settings of one backend, as texts by key.
pub type Settings = BTreeMap<String, String>;

/// One row of the table.
#[derive(Debug)]
pub struct Backend {
    /// The word in the config.
    pub name: &'static str,
    /// The cargo feature it needs; empty for none.
    pub feature: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// Its settings: key and one line of documentation, which says the default.
    pub settings: &'static [(&'static str, &'static str)],
    open: fn(&Settings) -> Opening,
}

impl Backend {
    /// Checks the value of one of its settings before anything is opened. The error says what it takes.
    ///
    /// # Errors
    /// For a value that opening would refuse whatever the world is like.
    pub fn check(&self, key: &str, value: &str) -> std::result::Result<(), String> {
        // A setting of one name means the same in every backend.
        let whole = |min: u64, max: u64| match value.parse() {
            Ok(number) if (min..=max).contains(&number) => Ok(()),
            _ => Err(format!("`{value}` is not a whole number from {min} to {max}")),
        };
        match key {
            "shards" => whole(1, SHARD_COUNT_MAX.into()),
            "replicas" => whole(0, 100),
            "durability" if !["fsync", "unchecked"].contains(&value) => {
                Err(format!("`{value}` is not one of fsync, unchecked"))
            }
            "path" if value.is_empty() => Err("it is empty; it takes a directory".to_owned()),
            _ if key.starts_with("max_") => whole(1, 1_000_000),
            _ if key.ends_with("_ms") => whole(1, 86_400_000),
            _ => Ok(()),
        }
    }
}

/// All backends of this build.
pub const BACKENDS: &[Backend] = &[
    #[cfg(feature = "embedded")]
    Backend {
        name: "embedded",
        feature: "embedded",
        doc: "one directory with one SQLite file; the default, no set-up",
        settings: embedded::SETTINGS,
        open: embedded::open_configured,
    },
    Backend {
        name: "memory",
        feature: "",
        doc: "in this process only, gone when it ends; for tests",
        settings: memory::SETTINGS,
        open: memory::open_configured,
    },
    #[cfg(feature = "postgres")]
    Backend {
        name: "postgres",
        feature: "postgres",
        doc: "one PostgreSQL database for many nodes; the production default",
        settings: postgres::SETTINGS,
        open: postgres::open_configured,
    },
    #[cfg(feature = "redis")]
    Backend {
        name: "redis",
        feature: "redis",
        doc: "one Redis or Redis cluster for many nodes; low latency, all data in its memory",
        settings: redis::SETTINGS,
        open: redis::open_configured,
    },
];

/// Opens the backend of this name. `Refused` for a name or a setting that is not in the table, with those that are.
pub async fn open(name: &str, settings: &Settings) -> Result<Arc<dyn Store>> {
    let Some(backend) = BACKENDS.iter().find(|backend| backend.name == name) else {
        let known: Vec<_> = BACKENDS.iter().map(|backend| backend.name).collect();
        return Err(Error::new(
            Kind::Refused,
            "open",
            format!("this build has no backend `{name}`; it has {}", known.join(", ")),
        ));
    };
    for key in settings.keys() {
        if !backend.settings.iter().any(|(known, _)| known == key) {
            let known: Vec<_> = backend.settings.iter().map(|(known, _)| *known).collect();
            return Err(Error::new(
                Kind::Refused,
                "open",
                format!("backend `{name}` has no setting `{key}`; it has {}", known.join(", ")),
            ));
        }
    }
    (backend.open)(settings).await
}

/// A whole number among the settings, or its default.
fn number<T: std::str::FromStr>(settings: &Settings, key: &str, default: T) -> Result<T> {
    let Some(text) = settings.get(key) else { return Ok(default) };
    text.parse().map_err(|_| {
        Error::new(Kind::Refused, "open", format!("setting `{key}` is `{text}`; it must be a whole number"))
    })
}
