//! The config file `deepslate.toml`: every key in one table, with its default and its documentation.
//!
//! From the table come the struct, the check of a file (an unknown key is an error that names file, line and the nearest right key), the
//! environment variables `DEEPSLATE_<SECTION>_<KEY>`, and the printed documentation. Opening a store and starting an engine
//! with it is the builder's business.

mod load;
mod setting;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use deepslate_engine::regvm;
use deepslate_storage::backends::{BACKENDS, Settings};

pub use load::ConfigError;
use setting::{Given, Setting};

/// The variable that names the config file where none is given.
pub const CONFIG_VARIABLE: &str = "DEEPSLATE_CONFIG";
/// The config file that is looked for where none is named.
pub const CONFIG_FILE: &str = "deepslate.toml";

/// One key of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its table in the file: `engine`, or `store.embedded`.
    pub section: String,
    /// Its name there.
    pub key: String,
    /// What values it takes, in a word.
    pub kind: &'static str,
    /// Its default as the file would have it; empty where the documentation says it.
    pub default: String,
    /// The values that it takes, where not all of its kind: `1 to 100000`.
    pub range: Option<String>,
    /// What it is about.
    pub doc: String,
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("DEEPSLATE_{}_{}", self.section.replace('.', "_"), self.key).to_ascii_uppercase()
    }
}

macro_rules! sections {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $Section:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $Kind:ty = $default:expr $(, in $range:expr)? $(, checked $check:path)?; )*
        }
    )*) => {
        $(
            $(#[doc = $section_doc])+
            #[derive(Clone, Debug, PartialEq)]
            pub struct $Section {
                $( $(#[doc = $doc])+ pub $key: $Kind, )*
            }

            impl Default for $Section {
                fn default() -> Self {
                    $Section { $( $key: $default, )* }
                }
            }
        )*

        /// The whole config.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Config {
            $( $(#[doc = $section_doc])+ pub $section: $Section, )*
            /// The settings of backends, by backend: the tables `[store.<backend>]`.
            pub backends: BTreeMap<String, Settings>,
            /// The file that it was read from, if there was one.
            pub file: Option<PathBuf>,
            places: load::Places,
        }

        impl Config {
            /// Sets a key of the table. `None` if there is no such key; an error says what the key takes.
            fn set_own(&mut self, section: &str, key: &str, given: &Given) -> Option<Result<(), String>> {
                $( if section == stringify!($section) {
                    $( if key == stringify!($key) {
                        return Some(Setting::read(given).and_then(|value: $Kind| {
                            $( setting::within::<$Kind>(&value, &($range))?; )?
                            $( $check(&value)?; )?
                            self.$section.$key = value;
                            Ok(())
                        }));
                    } )*
                } )*
                None
            }

            fn own_keys() -> Vec<Key> {
                let mut keys = Vec::new();
                $( {
                    let defaults = $Section::default();
                    // A section without keys would leave it unused.
                    let _ = &defaults;
                    $( keys.push(Key {
                        section: stringify!($section).into(),
                        key: stringify!($key).into(),
                        kind: <$Kind as Setting>::KIND,
                        default: defaults.$key.show(),
                        range: [$( setting::show_range::<$Kind>(&($range)) )?].into_iter().next(),
                        doc: [$($doc.trim()),+].join(" "),
                    }); )*
                } )*
                keys
            }

            fn own_value(&self, section: &str, key: &str) -> Option<String> {
                $( if section == stringify!($section) {
                    $( if key == stringify!($key) {
                        return Some(self.$section.$key.show());
                    } )*
                } )*
                None
            }

            fn sections() -> &'static [&'static str] {
                &[$(stringify!($section)),*]
            }
        }
    };
}

sections! {
    /// Where isolates live.
    store: StoreSection {
        /// The backend; its own settings are in the table of its name.
        backend: String = "embedded".into(), checked setting::backend;
    }

    /// How isolates are run.
    engine: EngineSection {
        /// Where names are unique: several applications may share a store.
        namespace: String = "default".into(), checked setting::namespace;
        /// The number of this node, the same in all its lives.
        node_id: u64 = 1, in 0..=i64::MAX as u64;
        /// Where other nodes reach this one.
        address: String = String::new(), checked setting::address_or_none;
        /// Threads that run flows; 0 for one a core.
        workers: usize = 0, in 0..=100_000;
        /// Threads for I/O and async host functions; 0 for one a core, up to four.
        io_threads: usize = 0, in 0..=100_000;
        /// How long an isolate runs while others wait, in milliseconds.
        slice_ms: u64 = 10, in 1..=60_000;
        /// How long the lease is good after a renewal, in seconds.
        lease_seconds: f64 = 5.0, in 0.1..=3_600.0;
        /// How long a computation runs at most before its state is committed although nothing asks for it, in seconds.
        checkpoint_seconds: f64 = 5.0;
        /// Most idle isolates that are kept in memory.
        warm_isolates: usize = 10_000;
        /// Most bytes of heap of idle isolates that are kept in memory.
        warm_bytes: u64 = 256 << 20;
        /// How long an idle isolate is kept in memory, in seconds.
        warm_seconds: f64 = 10.0;
        /// Most isolates that are read from the store at once.
        loads: usize = 64, in 1..=100_000;
        /// Most host calls under way at once.
        host_calls: usize = 1_000, in 1..=100_000;
        /// How long a shutdown waits for host calls under way, in seconds.
        drain_seconds: f64 = 10.0;
        /// How long finished isolates are kept, in days.
        keep_finished_days: f64 = 30.0;
        /// How many events of an isolate are kept: log lines and what was done to it.
        keep_events: u32 = 1_000;
    }

    /// The public HTTP address, on which flows listen.
    http: HttpSection {
        /// Where it listens; empty: nowhere.
        address: String = "127.0.0.1:8765".into(), checked setting::address_or_none;
        /// Largest body of a request that comes in, in bytes.
        body_bytes: usize = 1 << 20, in 0..=8 << 20;
        /// How long a client may take to send the head of a request, in seconds.
        head_seconds: f64 = 10.0, in 0.001..=3_600.0;
        /// How long a client may take to send the body of a request, in seconds.
        body_seconds: f64 = 30.0, in 0.001..=3_600.0;
        /// How long a request waits for its acknowledgement, in seconds.
        deadline_seconds: f64 = 30.0, in 0.001..=30.0;
        /// Most connections at once.
        connections: usize = 10_000, in 1..=1_000_000;
        /// Largest body of a response to a request that a flow sends, in bytes.
        response_bytes: usize = 4 << 20;
        /// Most requests of flows under way at once.
        requests: usize = 1_000, in 1..=1_000_000;
        /// How long the making of a connection may take for a request that a flow sends, in seconds.
        connect_seconds: f64 = 10.0, in 0.001..=3_600.0;
        /// A file with the certificates (PEM) of authorities that a flow's request to https trusts besides those of the machine; empty: none.
        certificates: String = String::new();
    }

    /// The inspector and the control API.
    inspector: InspectorSection {
        /// Where it listens. Whoever can connect may do everything: keep it on the loopback address or behind something that asks.
        address: String = "127.0.0.1:8080".into(), checked setting::address;
        /// Names besides localhost and IP addresses by which it may be asked, separated by commas.
        names: String = String::new();
    }

    /// Compilation to machine code.
    jit: JitSection {
        /// `on`, `off` or `eager`. It changes speed only; an engine that was built without it interprets whatever this says.
        mode: setting::JitMode = setting::JitMode::On;
    }

    /// What each isolate may use; over a limit is a trap.
    limits: LimitsSection {
        /// Bytes of heap.
        heap_bytes: u64 = 256 << 20, in 64 << 10..=1 << 46;
        /// Live tasks.
        tasks: u32 = 10_000, in 1..=10_000_000;
        /// Calls nested in one task.
        call_depth: u32 = 1_000, in 1..=1_000_000;
        /// Bytes of one value that crosses the border: an argument, a result.
        message_bytes: u64 = 4 << 20, in 1 << 10..=1 << 30;
    }

    /// What an operator sees.
    telemetry: TelemetrySection {
        /// Which log lines: a level, or a filter as `info,deepslate_engine=debug`.
        log: String = "info".into();
    }
}

impl Config {
    /// All keys that there are, in the order of the documentation.
    pub fn keys() -> Vec<Key> {
        let mut keys = Vec::new();
        for key in Config::own_keys() {
            let is_store = key.section == "store";
            keys.push(key);
            if is_store {
                for backend in BACKENDS {
                    keys.extend(backend.settings.iter().map(|(name, doc)| Key {
                        section: format!("store.{}", backend.name),
                        key: (*name).into(),
                        kind: "setting",
                        default: String::new(),
                        range: None,
                        doc: (*doc).into(),
                    }));
                }
            }
        }
        keys
    }

    /// The settings of the chosen backend.
    pub fn store_settings(&self) -> Settings {
        self.backends.get(&self.store.backend).cloned().unwrap_or_default()
    }

    /// What the engine makes of it.
    pub fn options(&self) -> deepslate_engine::Options {
        let (engine, limits, http) = (&self.engine, &self.limits, &self.http);
        let defaults = deepslate_engine::Options::default();
        let or = |count: usize, default: usize| if count == 0 { default } else { count };
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        deepslate_engine::Options {
            namespace: engine.namespace.clone(),
            node_id: engine.node_id,
            address: engine.address.clone(),
            workers: or(engine.workers, defaults.workers),
            io_threads: or(engine.io_threads, defaults.io_threads),
            slice: Duration::from_millis(engine.slice_ms),
            lease: seconds(engine.lease_seconds),
            checkpoint: seconds(engine.checkpoint_seconds),
            warm_isolates: engine.warm_isolates,
            warm_bytes: engine.warm_bytes,
            warm_for: seconds(engine.warm_seconds),
            loads: engine.loads,
            host_calls: engine.host_calls,
            drain: seconds(engine.drain_seconds),
            keep_finished: seconds(engine.keep_finished_days * 86_400.0),
            keep_events: engine.keep_events,
            isolate: regvm::Limits {
                heap_bytes: limits.heap_bytes,
                tasks: limits.tasks,
                call_depth: limits.call_depth,
                message_bytes: limits.message_bytes,
            },
            http: deepslate_engine::HttpOptions {
                // Who starts an engine says whether it listens: two of one machine can't have the same address.
                address: None,
                body_bytes: http.body_bytes,
                head_timeout: seconds(http.head_seconds),
                body_timeout: seconds(http.body_seconds),
                deadline: seconds(http.deadline_seconds),
                connections: http.connections,
                response_bytes: http.response_bytes,
                requests: http.requests,
                connect_timeout: seconds(http.connect_seconds),
                certificates: Some(&http.certificates).filter(|path| !path.is_empty()).map(PathBuf::from),
            },
            vm: defaults.vm,
        }
    }

    /// Where flows listen; none if nowhere.
    pub fn http_address(&self) -> Option<String> {
        Some(self.http.address.clone()).filter(|address| !address.is_empty())
    }

    /// Where a key was set, for whoever finds out only later that it can't be used: `deepslate.toml:12`, or the name of a variable. None
    /// for one that has its default.
    pub fn place(&self, section: &str, key: &str) -> Option<String> {
        self.places.of(section, key, self.file.as_deref())
    }

    /// The config as it is in effect, as a file would have it. Secrets are not printed.
    pub fn effective(&self) -> String {
        self.render(|key| {
            let set = key.section.strip_prefix("store.").map(|backend| self.backends.get(backend));
            match set {
                Some(settings) => settings
                    .and_then(|settings| settings.get(&key.key))
                    .map(|value| if setting::is_secret(&key.key) { "\"(secret)\"".into() } else { value.show() }),
                None => self.own_value(&key.section, &key.key),
            }
        })
    }

    /// The documentation of all keys: a file with every default.
    pub fn documentation() -> String {
        Config::default().render(|key| Some(key.default.clone()).filter(|default| !default.is_empty()))
    }

    fn render(&self, value: impl Fn(&Key) -> Option<String>) -> String {
        let mut out = String::new();
        let mut section = String::new();
        for key in Config::keys() {
            if key.section != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                out.push_str(&format!("{gap}[{}]\n", key.section));
                section.clone_from(&key.section);
            }
            let range = key.range.as_ref().map(|range| format!(" From {range}.")).unwrap_or_default();
            out.push_str(&format!("# {}{range}\n", key.doc));
            match value(&key) {
                Some(value) => out.push_str(&format!("{} = {value}\n", key.key)),
                None => out.push_str(&format!("# {} =\n", key.key)),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
