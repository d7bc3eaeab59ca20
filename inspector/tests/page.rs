//! The page in a real browser: what a person sees of a running counter. The browser is `DEEPSLATE_CHROMIUM` or a Chromium on the path;
//! without one the test says that it was skipped, and fails where `CI` is set.

mod support;

use serde_json::json;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::Bench;
use tokio::process::Command;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("DEEPSLATE_CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|file| file.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no Chromium: install one or set DEEPSLATE_CHROMIUM");
        println!("skipped: no Chromium on the path and DEEPSLATE_CHROMIUM is not set");
    }
    found
}

/// The document as the browser has it a moment after it was loaded.
async fn document(browser: &PathBuf, url: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        // Not a virtual time: the page's stream of events never ends, and virtual time would wait for it.
        .args(["--timeout=5000", "--dump-dom", url])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output =
        tokio::time::timeout(Duration::from_secs(60), output).await.expect("the browser ends").expect("it starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The document, once it has all of these. The browser writes it down when everything is loaded, which may be before the answer
/// of the API has been shown.
async fn eventually(browser: &PathBuf, url: &str, wanted: &[&str]) -> String {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let document = document(browser, url).await;
        let missing: Vec<_> = wanted.iter().filter(|text| !document.contains(**text)).collect();
        if missing.is_empty() {
            return document;
        }
        assert!(Instant::now() < end, "{missing:?} do not appear at {url}:\n{document}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_status_line_and_variables_of_a_running_counter() {
    let Some(browser) = browser() else { return };
    let bench = Bench::new().await;
    bench.spawn("my-counter", "counter", json!({"limit": 1_000_000})).await;
    bench.spawn("failed-one", "fails", json!({"at": 7})).await;
    bench.until("/api/isolates/my-counter", |shown| shown["tasks"][0]["frames"][0]["line"] == json!(10)).await;
    bench.get("/api/isolates/failed-one/result?timeout=30").await;

    let list = eventually(&browser, &bench.url("/"), &["my-counter", "failed-one", "/isolates/my-counter"]).await;
    assert!(list.contains("counter") && list.contains("failed"), "{list}");

    let wanted = ["Task 0", "aria-current=\"location\"", "rates", "list[float]", "[1.0, 2.5]", "1000000", "async"];
    let page = eventually(&browser, &bench.url("/isolates/my-counter"), &wanted).await;
    let current = page.split("aria-current=\"location\"").nth(1).unwrap();
    let line: String = current.split("</pre>").next().unwrap().split("class=\"line\"").next().unwrap().to_owned();
    assert!(line.contains("sleep") && line.contains("0.02"), "the current line is that of the sleep: {line}");
    assert!(page.contains("status-sleeping") || page.contains("status-running"), "{page}");
    // What a flow holds is shown as it is and never becomes markup.
    assert!(page.contains("&lt;b&gt;&amp;amp;&lt;/b&gt;") && !page.contains("<b>&amp;</b>"), "{page}");

    let page =
        eventually(&browser, &bench.url("/isolates/failed-one"), &["Failed: index", "flows.py:22", "return items[at]"])
            .await;
    assert!(page.contains("flows.py:28"), "{page}");

    eventually(&browser, &bench.url("/isolates/nobody"), &["there is no isolate"]).await;
}
