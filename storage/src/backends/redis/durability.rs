//! What a server promises, and whether that is enough.
//!
//! Looked at with each new connection, not only at start: the server that answers after a restart or a fail-over may be set otherwise.
//! What is asked and is not there is refused with the lines of redis.conf that give it.

use crate::{Error, Kind};

/// The oldest version whose answers this backend was written for.
const VERSION_MIN: (u32, u32) = (7, 0);
/// The first that has WAITAOF.
const VERSION_WAITAOF: (u32, u32) = (7, 2);

/// What must hold before a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is on the server's disk (fsync), so that it survives a crash of the machine. A server that is not set so, or does not let
    /// itself be asked, is refused.
    Fsync,
    /// Whatever the server happens to give; nobody looks. For servers whose operator vouches for them and forbids CONFIG.
    Unchecked,
}

/// What is asked of every server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub durability: Durability,
    pub replicas: u32,
}

/// What a write has to wait for after it was done: the server's own disk, and this many replicas' disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub local: u32,
    pub replicas: u32,
}

/// The settings that decide, in the order in which they are asked.
pub(super) const SETTINGS: [&str; 4] = ["appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"];

/// A server as it describes itself.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// The text of INFO, sections `server`, `replication` and `cluster`.
    pub info: String,
    /// Values of `SETTINGS`; none if it did not tell.
    pub config: Option<[String; 4]>,
}

impl Server {
    fn line(&self, key: &str) -> Option<&str> {
        self.info.lines().find_map(|line| line.trim_end().strip_prefix(key)?.strip_prefix(':'))
    }

    pub fn is_cluster(&self) -> bool {
        self.line("cluster_enabled") == Some("1")
    }

    pub fn mark(&self) -> Option<[u8; 4]> {
        mark(self.line("master_replid")?)
    }

    fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.line("redis_version")?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// What must be waited for after each write here, if anything; or why this server is not enough.
    pub fn judge(&self, demand: Demand) -> Result<Option<Wait>, Error> {
        let refuse = |what: String| Err(Error::new(Kind::Refused, "open", what));
        let name = self.line("redis_version").unwrap_or("of an unknown version");
        let Some(version) = self.version().filter(|version| *version >= VERSION_MIN) else {
            return refuse(format!(
                "this server is Redis {name}; it must be {}.{} or later",
                VERSION_MIN.0, VERSION_MIN.1
            ));
        };
        if self.line("role") == Some("slave") {
            let what = "this Redis is a replica, which takes no writes; `url` must lead to the primary";
            return Err(Error::new(Kind::Retry, "open", what));
        }
        let can_wait = version >= VERSION_WAITAOF;
        if demand.replicas > 0 && !can_wait {
            return refuse(format!(
                "`replicas = {}` needs the command WAITAOF, which Redis has from {}.{} on; this server is {name}",
                demand.replicas, VERSION_WAITAOF.0, VERSION_WAITAOF.1
            ));
        }
        let mut wait = Wait { local: 0, replicas: demand.replicas };
        if demand.durability == Durability::Fsync {
            let Some([appendonly, appendfsync, no_fsync_on_rewrite, policy]) = &self.config else {
                return refuse(
                    "this Redis does not tell how durable it is (CONFIG GET is forbidden). If its operator vouches for \
                     `appendonly yes` and `appendfsync always`, set `durability = \"unchecked\"`"
                        .into(),
                );
            };
            let mut lines = Vec::new();
            if appendonly != "yes" {
                lines.push("appendonly yes");
            }
            match appendfsync.as_str() {
                "always" => {}
                // Written once a second; the write waits for it.
                "everysec" if can_wait => wait.local = 1,
                _ => lines.push("appendfsync always"),
            }
            if no_fsync_on_rewrite != "no" {
                lines.push("no-appendfsync-on-rewrite no");
            }
            if policy != "noeviction" {
                lines.push("maxmemory-policy noeviction");
            }
            if !lines.is_empty() {
                return refuse(format!(
                    "this Redis would lose what it has acknowledged. Put these lines into its redis.conf and restart it: {}. \
                     (Or set `durability = \"unchecked\"`, if that may be.)",
                    lines.iter().map(|line| format!("`{line}`")).collect::<Vec<_>>().join(", ")
                ));
            }
        }
        Ok((wait.local > 0 || wait.replicas > 0).then_some(wait))
    }
}

/// The first four bytes of a replication id.
pub(super) fn mark(replication_id: &str) -> Option<[u8; 4]> {
    u32::from_str_radix(replication_id.get(..8)?, 16).ok().map(u32::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version: &str, settings: [&str; 4]) -> Server {
        let info = format!(
            "# Server\r\nredis_version:{version}\r\nrole:master\r\nmaster_replid:00ff10ab{}\r\n",
            "0".repeat(32)
        );
        Server { info, config: Some(settings.map(str::to_owned)) }
    }

    const FSYNC: Demand = Demand { durability: Durability::Fsync, replicas: 0 };
    const SOUND: [&str; 4] = ["yes", "always", "no", "noeviction"];

    #[test]
    fn a_sound_server_is_taken_as_it_is() {
        assert_eq!(server("7.0.15", SOUND).judge(FSYNC).expect("enough"), None);
        assert_eq!(server("7.0.15", SOUND).mark(), Some([0, 0xff, 0x10, 0xab]));
    }

    #[test]
    fn what_is_weak_is_refused_with_the_lines_that_mend_it() {
        for (settings, version, lines) in [
            (["no", "always", "no", "noeviction"], "7.0.15", "`appendonly yes`. "),
            (["yes", "everysec", "no", "noeviction"], "7.0.15", "`appendfsync always`. "),
            (["yes", "no", "no", "noeviction"], "8.2.1", "`appendfsync always`. "),
            (["yes", "always", "yes", "noeviction"], "8.2.1", "`no-appendfsync-on-rewrite no`. "),
            (
                ["no", "no", "no", "allkeys-lru"],
                "7.4.0",
                "`appendonly yes`, `appendfsync always`, `maxmemory-policy noeviction`. ",
            ),
        ] {
            let error = server(version, settings).judge(FSYNC).expect_err("weak");
            assert_eq!(error.kind(), Kind::Refused);
            assert!(error.to_string().contains(&format!("restart it: {lines}")), "{error}");
            let unchecked = Demand { durability: Durability::Unchecked, replicas: 0 };
            assert_eq!(server(version, settings).judge(unchecked).expect("nobody looks"), None);
        }
    }

    #[test]
    fn what_is_written_later_is_waited_for_where_the_server_can() {
        let later = server("7.2.4", ["yes", "everysec", "no", "noeviction"]);
        assert_eq!(later.judge(FSYNC).expect("enough"), Some(Wait { local: 1, replicas: 0 }));
        let two = Demand { replicas: 2, ..FSYNC };
        assert_eq!(server("7.2.4", SOUND).judge(two).expect("enough"), Some(Wait { local: 0, replicas: 2 }));
        let error = server("7.0.15", SOUND).judge(two).expect_err("it has no WAITAOF");
        assert!(error.to_string().contains("WAITAOF") && error.to_string().contains("7.0.15"), "{error}");
    }

    #[test]
    fn old_and_silent_servers_and_replicas_are_refused() {
        assert!(server("6.2.1", SOUND).judge(FSYNC).expect_err("old").to_string().contains("6.2.1"));
        let silent = Server { config: None, ..server("7.0.15", SOUND) };
        assert!(silent.judge(FSYNC).expect_err("silent").to_string().contains("unchecked"));
        let mut replica = server("7.0.15", SOUND);
        replica.info = replica.info.replace("role:master", "role:slave");
        assert_eq!(replica.judge(FSYNC).expect_err("a replica").kind(), Kind::Retry);
    }
}
