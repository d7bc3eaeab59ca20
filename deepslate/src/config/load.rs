//! Reading the config: the file, then the environment over it, with errors that say where and what was probably meant.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use deepslate_ir::json::nearest;
use deepslate_storage::backends::BACKENDS;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::setting::Given;
use super::{CONFIG_FILE, CONFIG_VARIABLE, Config};

/// A config that can't be used: where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file; none for a mistake in the environment.
    pub file: Option<PathBuf>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// What is wrong, and what was probably meant.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

/// Where a key was set.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In the file, at this line.
    Line(usize),
    /// By this variable.
    Variable(String),
}

/// Where each key was set that has not its default. It is no part of what a config says: two that say the same are equal.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<(String, String), Place>);

impl PartialEq for Places {
    fn eq(&self, _: &Places) -> bool {
        true
    }
}

impl Places {
    pub(super) fn set(&mut self, section: &str, key: &str, place: Place) {
        self.0.insert((section.to_owned(), key.to_owned()), place);
    }

    pub(super) fn of(&self, section: &str, key: &str, file: Option<&Path>) -> Option<String> {
        let name = |line| format!("{}:{line}", file.map_or(CONFIG_FILE.into(), |file| file.display().to_string()));
        Some(match self.0.get(&(section.to_owned(), key.to_owned()))? {
            Place::Line(line) => name(line),
            Place::Variable(variable) => variable.clone(),
        })
    }
}

impl Config {
    /// Reads the config of a process: from `file`, else from the file that `DEEPSLATE_CONFIG` names, else from `./deepslate.toml` if it
    /// is there, else the defaults; then the variables `DEEPSLATE_<SECTION>_<KEY>` over it.
    ///
    /// # Errors
    /// An unknown key, a value that a key does not take, or a file that was named and can't be read.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        let named = std::env::var_os(CONFIG_VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
        let file = file.map(Path::to_owned).or(named);
        // A name that is no text can't be ours.
        let variables = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value)));
        let variables = variables.filter(|(key, _)| key.starts_with("DEEPSLATE_"));
        let mut texts = Vec::new();
        for (key, value) in variables {
            let value = value.into_string().map_err(|_| environment(format!("{key} is not valid text")))?;
            texts.push((key, value));
        }
        match file {
            Some(file) => Config::read_file(&file)?,
            None if Path::new(CONFIG_FILE).exists() => Config::read_file(Path::new(CONFIG_FILE))?,
            None => Config::default(),
        }
        .with_variables(texts)
    }

    /// Reads a file only.
    ///
    /// # Errors
    /// As `load`.
    pub fn read_file(file: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
            file: Some(file.to_owned()),
            line: None,
            message: format!("can't be read: {error}"),
        })?;
        Config::parse(&text, file)
    }

    /// Reads the text of a file; `file` is for errors.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
        let at = |byte: usize, message: String| ConfigError {
            file: Some(file.to_owned()),
            line: Some(text.as_bytes().iter().take(byte).filter(|c| **c == b'\n').count() + 1),
            message,
        };
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
            at(error.span().map_or(0, |span| span.start), message)
        })?;
        let mut config = Config { file: Some(file.to_owned()), ..Config::default() };
        for (name, value) in table.get_ref() {
            let section: &str = name.get_ref();
            if !Config::sections().contains(&section) {
                return Err(at(name.span().start, unknown("section", section, Config::sections().iter().copied())));
            }
            let Some(keys) = value.get_ref().as_table() else {
                return Err(at(name.span().start, format!("`{section}` is a section: write it as [{section}]")));
            };
            config.set_section(section, keys, &at)?;
        }
        Ok(config)
    }

    fn set_section(
        &mut self,
        section: &str,
        keys: &DeTable<'_>,
        at: &impl Fn(usize, String) -> ConfigError,
    ) -> Result<(), ConfigError> {
        for (name, value) in keys {
            let key: &str = name.get_ref();
            if section == "store"
                && let Some(settings) = value.get_ref().as_table()
            {
                let backend = format!("store.{key}");
                if !BACKENDS.iter().any(|known| known.name == key) {
                    let known = BACKENDS.iter().map(|known| known.name);
                    return Err(at(name.span().start, unknown("backend", key, known)));
                }
                self.set_section(&backend, settings, at)?;
                continue;
            }
            let given = given(value).ok_or_else(|| at(value.span().start, format!("`{key}` takes a single value")))?;
            let place = |message| at(name.span().start, message);
            self.set(section, key, &given).map_err(place)?;
            self.places.set(section, key, Place::Line(place(String::new()).line.unwrap_or(1)));
        }
        Ok(())
    }

    /// The same with these variables over it; those that belong to no section are left alone.
    ///
    /// # Errors
    /// As `load`.
    pub fn with_variables(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let keys = Config::keys();
        for (variable, value) in variables {
            if let Some(key) = keys.iter().find(|key| key.variable() == variable) {
                self.set(&key.section, &key.key, &Given::Variable(value))
                    .map_err(|message| environment(format!("{variable}: {message}")))?;
                self.places.set(&key.section, &key.key, Place::Variable(variable));
                continue;
            }
            let belongs =
                |section: &&str| variable.starts_with(&format!("DEEPSLATE_{}_", section.to_ascii_uppercase()));
            if Config::sections().iter().any(belongs) {
                let names: Vec<_> = keys.iter().map(super::Key::variable).collect();
                return Err(environment(unknown("variable", &variable, names.iter().map(String::as_str))));
            }
        }
        Ok(self)
    }

    fn set(&mut self, section: &str, key: &str, given: &Given) -> Result<(), String> {
        if let Some(backend) = section.strip_prefix("store.") {
            let known = BACKENDS.iter().filter(|known| known.name == backend).flat_map(|known| known.settings);
            let known: Vec<_> = known.map(|(name, _)| *name).collect();
            if !known.contains(&key) {
                return Err(unknown(&format!("key of [{section}]"), key, known.into_iter()));
            }
            let row = BACKENDS.iter().find(|known| known.name == backend);
            row.map_or(Ok(()), |row| row.check(key, given.text())).map_err(|what| format!("`{key}`: {what}"))?;
            let settings = self.backends.entry(backend.to_owned()).or_default();
            settings.insert(key.to_owned(), given.text().to_owned());
            return Ok(());
        }
        match self.set_own(section, key, given) {
            Some(result) => result.map_err(|what| format!("`{key}`: {what}")),
            None => {
                let keys = Config::own_keys();
                let known = keys.iter().filter(|known| known.section == section).map(|known| known.key.as_str());
                Err(unknown(&format!("key of [{section}]"), key, known))
            }
        }
    }
}

fn environment(message: String) -> ConfigError {
    ConfigError { file: None, line: None, message }
}

pub(super) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`; there is {}", known.join(", ")),
    }
}

fn given(value: &Spanned<DeValue<'_>>) -> Option<Given> {
    match value.get_ref() {
        DeValue::String(text) => Some(Given::Text(text.to_string())),
        DeValue::Integer(number) if number.radix() == 10 => Some(Given::Bare(number.as_str().to_owned())),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).ok().map(|number| Given::Bare(number.to_string()))
        }
        DeValue::Float(number) => Some(Given::Bare(number.as_str().to_owned())),
        DeValue::Boolean(value) => Some(Given::Bare(value.to_string())),
        DeValue::Datetime(value) => Some(Given::Bare(value.to_string())),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
