//! The browser that the inspector's test drives: any Chromium on the path, or the one that DEEPSLATE_CHROMIUM names. On Debian as
//! root, where CI runs, it is installed; elsewhere the test says that it was skipped, and in CI it fails.

use crate::shell::{run, step};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os("DEEPSLATE_CHROMIUM").is_some_and(|name| Path::new(&name).exists());
    named || std::env::split_paths(&path).any(|folder| NAMES.iter().any(|name| folder.join(name).exists()))
}

/// Whether this is a Debian on which packages may be installed.
fn can_install() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|id| id.stdout.trim_ascii() == b"0") && Path::new("/etc/debian_version").exists()
}

/// Installs a browser if there is none and this is the place to do so.
pub fn install() -> Result<()> {
    if is_there() || !can_install() {
        return Ok(());
    }
    step("install a browser for the inspector's test");
    run(Command::new("apt-get").args(["-qq", "update"]))?;
    run(Command::new("apt-get")
        .args(["-qq", "-y", "--no-install-recommends", "install", "chromium", "fonts-dejavu-core"])
        .env("DEBIAN_FRONTEND", "noninteractive"))
}
