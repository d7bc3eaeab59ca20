//! The page in a real browser: what a person sees of a running counter. The browser is `DEEPSLATE_CHROMIUM` or a Chromium on the path;
//! without one the test says that it was skipped, and fails where `CI` is set.

mod support;

use hyper::Method;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
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

/// The document as the browser has it when nothing is under way any more: five seconds of the page's own time after the last answer.
/// While it follows a stream of events its time stands still, so that this waits for the end of the stream.
async fn document(browser: &Path, url: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=5000", "--dump-dom", url])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output =
        tokio::time::timeout(Duration::from_secs(60), output).await.expect("the browser ends").expect("it starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn has(document: &str, wanted: &[&str]) {
    for text in wanted {
        assert!(document.contains(text), "{text} is missing from\n{document}");
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

    let list = document(&browser, &bench.url("/?live=off")).await;
    has(&list, &["my-counter", "failed-one", "/isolates/my-counter", "counter", "status-failed", "frozen"]);

    let page = document(&browser, &bench.url("/isolates/my-counter?live=off")).await;
    has(&page, &["Task 0", "Step", "Heap", "Stored", "rates", "list[float]", "[1.0, 2.5]", "1000000", "tok-keyword"]);
    assert!(page.contains("status-sleeping") || page.contains("status-running"), "{page}");
    let current = page.split("aria-current=\"location\"").nth(1).expect("a current line");
    let line = current.split("class=\"line\"").next().unwrap_or_default();
    has(line, &["sleep", "0.02"]);
    // What a flow holds is shown as it is and never becomes markup.
    assert!(page.contains("&lt;b&gt;&amp;amp;&lt;/b&gt;") && !page.contains("<b>&amp;</b>"), "{page}");

    let page = document(&browser, &bench.url("/isolates/failed-one?live=off")).await;
    has(&page, &["Failed: index", "flows.py:22", "return items[at]", "flows.py:28"]);

    has(&document(&browser, &bench.url("/isolates/nobody")).await, &["there is no isolate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_follows_an_isolate_to_its_end() {
    let Some(browser) = browser() else { return };
    let bench = Bench::new().await;
    bench.spawn("n1", "nap", json!({"seconds": 600})).await;
    let url = bench.url("/isolates/n1");
    let opened = async {
        // The page has shown the first state by itself and follows from there.
        bench.until("/api/health", |health| health["followers"] == json!(1)).await;
        bench.post("/api/isolates/n1/cancel", json!({})).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        bench.ask(Method::DELETE, "/api/isolates/n1", &[("content-type", "application/json")], "").await;
    };
    let (page, ()) = tokio::join!(document(&browser, &url), opened);
    has(&page, &["status-cancelled", "there is no isolate"]);
}
