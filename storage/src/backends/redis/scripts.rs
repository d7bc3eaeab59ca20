//! The scripts that run in the server, and a request that is sent to it.
//!
//! A script is called by its hash; a server that has forgotten it (it was flushed, restarted, or another one took its place) says so,
//! has done nothing, and is sent the text (`servers`).

use std::borrow::Cow;
use std::sync::LazyLock;

use redis::Cmd;

use super::keys::Place;

/// A script by its text and its hash.
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn new(parts: &[&str]) -> Script {
        let text = parts.concat();
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Script { text, hash }
    }
}

const COMMON: &str = include_str!("lua/common.lua");

pub(super) static COMMIT: LazyLock<Script> = LazyLock::new(|| Script::new(&[COMMON, include_str!("lua/commit.lua")]));
pub(super) static DELETE: LazyLock<Script> = LazyLock::new(|| Script::new(&[COMMON, include_str!("lua/delete.lua")]));
pub(super) static FENCE: LazyLock<Script> = LazyLock::new(|| Script::new(&[COMMON, include_str!("lua/fence.lua")]));
pub(super) static LEASES: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("lua/leases.lua")]));
pub(super) static CREATE: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("lua/create.lua")]));
pub(super) static PROGRAM: LazyLock<Script> = LazyLock::new(|| Script::new(&[include_str!("lua/program.lua")]));

/// One thing that is asked of the server which holds a place.
pub(super) struct Request<'a> {
    pub place: Place,
    what: What<'a>,
}

enum What<'a> {
    Command(Vec<Cow<'a, [u8]>>),
    Script { script: &'static Script, keys: Vec<Vec<u8>>, args: Vec<Cow<'a, [u8]>> },
}

impl<'a> Request<'a> {
    /// A command by its words.
    pub fn command(place: Place, words: impl IntoIterator<Item = impl Into<Cow<'a, [u8]>>>) -> Request<'a> {
        Request { place, what: What::Command(words.into_iter().map(Into::into).collect()) }
    }

    pub fn script(place: Place, script: &'static Script, keys: Vec<Vec<u8>>, args: Vec<Cow<'a, [u8]>>) -> Request<'a> {
        Request { place, what: What::Script { script, keys, args } }
    }

    /// It as it is sent, a script by its hash or with its text, and told whether it must write something in any case.
    pub fn cmd(&self, with_text: bool, must_write: bool) -> Cmd {
        let mut cmd = Cmd::new();
        match &self.what {
            What::Command(words) => words.iter().for_each(|word| _ = cmd.arg(&**word)),
            What::Script { script, keys, args } => {
                match with_text {
                    true => cmd.arg("EVAL").arg(&script.text),
                    false => cmd.arg("EVALSHA").arg(&script.hash),
                };
                cmd.arg(keys.len());
                keys.iter().for_each(|key| _ = cmd.arg(&key[..]));
                cmd.arg(u8::from(must_write));
                args.iter().for_each(|arg| _ = cmd.arg(&**arg));
            }
        }
        cmd
    }
}
