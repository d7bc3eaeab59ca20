//! The config: what is read, what is refused and in which words.

use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("deepslate.toml"))
}

fn mistake(text: &str) -> String {
    parse(text).expect_err("a mistake").to_string()
}

#[test]
fn the_documentation_is_a_file_with_all_defaults() {
    let documentation = Config::documentation();
    let mut config = parse(&documentation).unwrap();
    config.file = None;
    assert_eq!(config, Config::default());
    for key in Config::keys() {
        assert!(documentation.contains(&format!("{} =", key.key)), "{key:?}");
        assert!(!key.doc.is_empty(), "{key:?}");
    }
}

#[test]
fn values_are_read() {
    let config = parse(
        "[store]\nbackend = \"memory\"\n[store.embedded]\npath = \"x\"\nshards = 8\n[engine]\nworkers = 1_0\nlease_seconds = 2\n[jit]\nmode = \"off\"\n",
    )
    .unwrap();
    assert_eq!(config.store.backend, "memory");
    assert_eq!(config.backends["embedded"]["path"], "x");
    assert_eq!(config.backends["embedded"]["shards"], "8");
    assert_eq!(config.options().workers, 10);
    assert_eq!(config.options().lease, Duration::from_secs(2));
    assert_eq!(config.jit.mode, setting::JitMode::Off);
    assert!(config.effective().contains("workers = 10"), "{}", config.effective());
}

#[test]
fn mistakes_name_file_line_and_the_nearest_key() {
    assert_eq!(
        mistake("[engine]\nworkers = 2\nnamspace = \"a\"\n"),
        "deepslate.toml:3: there is no key of [engine] `namspace`; did you mean `namespace`?"
    );
    assert_eq!(mistake("\n[engin]\n"), "deepslate.toml:2: there is no section `engin`; did you mean `engine`?");
    assert_eq!(
        mistake("[engine]\nworkers = \"two\"\n"),
        format!("deepslate.toml:2: `workers`: `two` is not a whole number from 0 to {}", usize::MAX)
    );
    assert_eq!(
        mistake("[jit]\nmode = \"fast\"\n"),
        "deepslate.toml:2: `mode`: \"fast\" is not one of \"on\", \"off\", \"eager\""
    );
    assert_eq!(
        mistake("[store.embedded]\npat = \"x\"\n"),
        "deepslate.toml:2: there is no key of [store.embedded] `pat`; did you mean `path`?"
    );
    assert!(mistake("[store]\nbackend = \"embeded\"\n").contains("did you mean `embedded`?"));
    assert!(mistake("[engine]\nlease_seconds = -1\n").contains("0 or more"));
    assert_eq!(
        mistake("[store]\n\nbackend = \"redis9\"\n").split(';').next(),
        Some("deepslate.toml:3: `backend`: there is no backend `redis9`")
    );
    assert!(mistake("[engine\n").starts_with("deepslate.toml:1: "));
    assert!(mistake("engine = 3\n").contains("write it as [engine]"));
}

#[test]
fn what_is_out_of_range_names_its_place_and_what_it_takes() {
    for (section, key, value, what) in [
        ("engine", "loads", "0", "`0` is out of range: it takes 1 to 100000"),
        ("engine", "host_calls", "0", "1 to 100000"),
        ("engine", "workers", "1000000", "0 to 100000"),
        ("engine", "lease_seconds", "0.01", "`0.01` is out of range: it takes 0.1 to 3600.0"),
        ("engine", "slice_ms", "0", "1 to 60000"),
        ("engine", "node_id", "10000000000000000000", "0 to 9223372036854775807"),
        ("engine", "namespace", "\"\"", "it takes 1 to 200"),
        ("engine", "address", "\"here\"", "not a host and a port"),
        ("http", "address", "\"127.0.0.1\"", "not a host and a port"),
        ("inspector", "address", "\":80\"", "as \"127.0.0.1:8080\""),
        ("limits", "tasks", "0", "1 to 10000000"),
        ("limits", "heap_bytes", "10", "65536 to"),
        ("limits", "message_bytes", "5", "1024 to"),
        ("store.embedded", "shards", "5000", "1 to 4096"),
        ("store.memory", "shards", "\"many\"", "1 to 4096"),
        ("store.embedded", "path", "\"\"", "directory"),
    ] {
        let error = mistake(&format!("[{section}]\n# a line\n{key} = {value}\n"));
        assert!(error.starts_with(&format!("deepslate.toml:3: `{key}`: ")) && error.contains(what), "{error}");
        let variable = format!("DEEPSLATE_{section}_{key}").replace('.', "_").to_ascii_uppercase();
        // A text needs no quotes there; an empty one is a text too.
        let error =
            Config::default().with_variables([(variable.clone(), value.replace('"', ""))]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{variable}: `{key}`: ")) && error.contains(what), "{error}");
    }
    let keys = Config::keys();
    let loads = keys.iter().find(|key| key.key == "loads").unwrap();
    assert_eq!(loads.range.as_deref(), Some("1 to 100000"));
    assert!(Config::documentation().contains("read from the store at once. From 1 to 100000.\n"));
}

#[test]
fn the_config_knows_where_each_key_was_set() {
    let config = parse("[engine]\nworkers = 2\n[telemetry]\nlog = \"inf\"\n").unwrap();
    assert_eq!(config.place("telemetry", "log").as_deref(), Some("deepslate.toml:4"));
    assert_eq!(config.place("engine", "loads"), None);
    let config = config.with_variables([("DEEPSLATE_TELEMETRY_LOG".to_owned(), "info".to_owned())]).unwrap();
    assert_eq!(config.place("telemetry", "log").as_deref(), Some("DEEPSLATE_TELEMETRY_LOG"));
}

#[test]
fn the_environment_comes_last() {
    let set = |name: &str, value: &str| {
        parse("[engine]\nworkers = 2\n").unwrap().with_variables([(name.into(), value.into())])
    };
    assert_eq!(set("DEEPSLATE_ENGINE_WORKERS", "7").unwrap().engine.workers, 7);
    assert_eq!(set("DEEPSLATE_STORE_EMBEDDED_PATH", "y").unwrap().backends["embedded"]["path"], "y");
    assert_eq!(set("DEEPSLATE_CONFIG", "x.toml").unwrap().engine.workers, 2);
    assert_eq!(
        set("DEEPSLATE_ENGINE_WORKRS", "7").unwrap_err().to_string(),
        "there is no variable `DEEPSLATE_ENGINE_WORKRS`; did you mean `DEEPSLATE_ENGINE_WORKERS`?"
    );
    assert!(set("DEEPSLATE_ENGINE_WORKERS", "many").unwrap_err().to_string().contains("DEEPSLATE_ENGINE_WORKERS: "));
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let error = Config::load(Some(Path::new("no/such/file.toml"))).unwrap_err().to_string();
    assert!(error.contains("no/such/file.toml"), "{error}");
}
