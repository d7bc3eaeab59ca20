//! `deepslate config`: what is in effect, and every key that there is. Secrets are not printed.

use deepslate::Config;
use serde_json::{Value, json};

use crate::args;
use crate::context::Context;
use crate::exit::Outcome;
use crate::print;

/// Prints the configuration in effect, or the table of keys.
pub fn config(context: &Context, args: &args::Config) -> Outcome {
    if args.keys {
        keys(context);
        return Ok(());
    }
    let config = context.config()?;
    if context.json {
        print::line(&json!({ "file": config.file, "toml": config.effective() }).to_string());
        return Ok(());
    }
    match &config.file {
        Some(file) => print::line(&format!("# from {}\n", file.display())),
        None => print::line("# no config file: built-in defaults\n"),
    }
    print::out(&config.effective());
    Ok(())
}

fn keys(context: &Context) {
    let keys = Config::keys();
    if context.json {
        let keys = keys.iter().map(|key| {
            json!({"section": key.section, "key": key.key, "kind": key.kind, "default": key.default, "range": key.range, "variable": key.variable(), "doc": key.doc})
        });
        print::line(&Value::Array(keys.collect()).to_string());
        return;
    }
    let mut section = "";
    for key in &keys {
        if key.section != section {
            print::line(&format!("{}[{}]", if section.is_empty() { "" } else { "\n" }, key.section));
            section = &key.section;
        }
        let default = if key.default.is_empty() { String::new() } else { format!(" = {}", key.default) };
        let range = key.range.as_ref().map(|range| format!(", {range}")).unwrap_or_default();
        print::line(&format!("{}{default}  ({}{range})", key.key, key.kind));
        print::line(&format!("    {}", key.doc));
        print::line(&format!("    {}", key.variable()));
    }
}
