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
    assert!(mistake("[engine\n").starts_with("deepslate.toml:1: "));
    assert!(mistake("engine = 3\n").contains("write it as [engine]"));
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
