//! The JSON API against a real engine on the memory store.

mod support;

use hyper::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn an_isolate_is_spawned_listed_shown_and_its_result_awaited() {
    let bench = Bench::new().await;
    let spawned = bench.spawn("c1", "counter", json!({"limit": 20})).await;
    assert_eq!((spawned.status, &spawned.json["exists"]), (201, &json!(false)), "{}", spawned.text);
    let again = bench.spawn("c1", "counter", json!({"limit": 20})).await;
    assert_eq!((again.status, &again.json["exists"]), (200, &json!(true)));
    assert_eq!(again.json["id"], spawned.json["id"]);

    let shown = bench.until("/api/isolates/c1", |shown| shown["tasks"][0]["frames"][0]["line"] == json!(10)).await;
    assert_eq!((&shown["flow"], &shown["name"]), (&json!("counter"), &json!("c1")));
    let frame = &shown["tasks"][0]["frames"][0];
    assert_eq!((&frame["function"], &frame["file"]), (&json!("counter"), &json!("flows.py")));
    assert_eq!(frame["text"], json!("        sleep(0.02)"));
    let variables: Vec<_> = frame["variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["name"].as_str().unwrap(), v["type"].as_str().unwrap()))
        .collect();
    for wanted in [("limit", "int"), ("count", "int"), ("label", "str"), ("rates", "list[float]")] {
        assert!(variables.contains(&wanted), "{wanted:?} is missing from {variables:?}");
    }
    assert!(shown["now_ms"].as_i64().unwrap() >= shown["created_ms"].as_i64().unwrap());

    let done = bench.get("/api/isolates/c1/result?timeout=30").await;
    assert_eq!((done.status, &done.json["status"], &done.json["result"]), (200, &json!("done"), &json!(20)));
    let shown = bench.get("/api/isolates/c1").await.json;
    assert_eq!((&shown["status"], &shown["result"]), (&json!("done"), &json!(20)));
    assert!(shown["ended_ms"].is_i64());
    let source = bench.get("/api/isolates/c1/source").await.json;
    assert!(source["files"][0]["text"].as_str().unwrap().contains("async def counter"), "{source}");
    let history = bench.get("/api/isolates/c1/history").await.json;
    let kinds: Vec<_> = history["events"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"spawned"), Some(&"ended")), "{history}");
    let rest = bench.get(&format!("/api/isolates/c1/history?from={}", history["next"])).await.json;
    assert_eq!(rest["events"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_counted_and_paged() {
    let bench = Bench::new().await;
    for n in 0..5 {
        bench.spawn(&format!("nap-{n}"), "nap", json!({"seconds": 600})).await;
    }
    bench.spawn("c1", "counter", json!({"limit": 0})).await;
    bench.get("/api/isolates/c1/result?timeout=30").await;
    bench.until("/api/counts", |counts| counts["counts"]["sleeping"] == json!(5)).await;
    let names = |list: &Value| -> Vec<String> {
        list["isolates"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = bench.get("/api/isolates").await.json;
    assert_eq!(names(&all), ["c1", "nap-0", "nap-1", "nap-2", "nap-3", "nap-4"]);
    assert_eq!((&all["total"], &all["counts"]["done"], &all["next"]), (&json!(6), &json!(1), &json!(null)));
    assert_eq!(names(&bench.get("/api/isolates?status=done").await.json), ["c1"]);
    assert_eq!(names(&bench.get("/api/isolates?flow=counter").await.json), ["c1"]);
    assert_eq!(names(&bench.get("/api/isolates?prefix=nap-3").await.json), ["nap-3"]);
    let first = bench.get("/api/isolates?limit=4").await.json;
    assert_eq!(names(&first), ["c1", "nap-0", "nap-1", "nap-2"]);
    let second = bench.get(&format!("/api/isolates?limit=4&after={}", first["next"].as_str().unwrap())).await.json;
    assert_eq!(names(&second), ["nap-3", "nap-4"]);
    let flows = bench.get("/api/flows").await.json;
    let counter =
        flows["flows"].as_array().unwrap().iter().find(|flow| flow["name"] == json!("counter")).unwrap().clone();
    assert_eq!((&counter["params"], &counter["returns"]), (&json!([{"name": "limit", "type": "int"}]), &json!("int")));
    let health = bench.get("/api/health").await.json;
    assert_eq!((&health["status"], &health["namespace"]), (&json!("ready"), &json!("default")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolate_is_paused_resumed_cancelled_and_deleted() {
    let bench = Bench::new().await;
    bench.spawn("n1", "nap", json!({"seconds": 600.0})).await;
    let paused = bench.post("/api/isolates/n1/pause", json!({})).await;
    assert_eq!((&paused.json["status"], &paused.json["changed"]), (&json!("paused"), &json!(true)));
    assert_eq!(bench.post("/api/isolates/n1/pause", json!({})).await.json["changed"], json!(false));
    let resumed = bench.post("/api/isolates/n1/resume", json!({})).await;
    assert_eq!((resumed.status, &resumed.json["changed"]), (200, &json!(true)));
    let delete =
        async || bench.ask(Method::DELETE, "/api/isolates/n1", &[("content-type", "application/json")], "").await;
    let refused = delete().await;
    assert_eq!((refused.status, &refused.json["error"]["kind"]), (409, &json!("not_finished")));
    let cancelled = bench.post("/api/isolates/n1/cancel", json!({})).await;
    assert_eq!(cancelled.json["status"], json!("cancelled"));
    assert_eq!(bench.get("/api/isolates/n1/result").await.json["status"], json!("cancelled"));
    assert_eq!(delete().await.status, 200);
    let gone = bench.get("/api/isolates/n1").await;
    assert_eq!((gone.status, &gone.json["error"]["kind"]), (404, &json!("not_found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_has_the_flows_own_stack() {
    let bench = Bench::new().await;
    bench.spawn("f1", "fails", json!({"at": 7})).await;
    let failed = bench.get("/api/isolates/f1/result?timeout=30").await.json;
    let failure = &failed["failure"];
    assert_eq!((&failed["status"], &failure["kind"]), (&json!("failed"), &json!("index")), "{failed}");
    let lines: Vec<_> = failure["trace"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["function"].as_str().unwrap(), line["line"].as_i64().unwrap()))
        .collect();
    assert_eq!(lines, [("inner", 22), ("fails", 28)]);
    assert_eq!(failure["trace"][0]["text"], json!("    return items[at]"));
    assert_eq!(bench.get("/api/isolates/f1").await.json["failure"], *failure);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_refused_with_their_kind() {
    let bench = Bench::new().await;
    bench.spawn("n1", "nap", json!({"seconds": 600})).await;
    for (answer, status, kind) in [
        (bench.get("/api/isolates/none").await, 404, "not_found"),
        (bench.get("/api/isolates/none/events").await, 200, ""),
        (bench.get("/api/isolates/n1/result?timeout=0.05").await, 504, "timeout"),
        (bench.get("/api/isolates/n1/result?timeout=-1").await, 400, "bad_request"),
        (bench.get("/api/isolates?limit=0").await, 400, "bad_request"),
        (bench.get("/api/isolates?status=asleep").await, 400, "bad_request"),
        (bench.get("/api/isolates?stat=done").await, 400, "bad_request"),
        (bench.get("/api/nothing").await, 404, "no_route"),
        (bench.post("/api/counts", json!({})).await, 405, "bad_method"),
        (bench.spawn("a b", "nap", json!({"seconds": 1})).await, 400, "bad_name"),
        (bench.spawn("x", "nope", json!({})).await, 404, "unknown_flow"),
        (bench.spawn("x", "nap", json!({})).await, 400, "bad_arguments"),
        (bench.spawn("x", "nap", json!({"seconds": "1"})).await, 400, "bad_arguments"),
        (bench.spawn("x", "nap", json!({"second": 1})).await, 400, "bad_arguments"),
        (bench.post("/api/isolates", json!({"flow": "nap"})).await, 400, "bad_request"),
        (bench.post("/api/isolates", json!({"name": "x", "flow": "nap", "arg": {}})).await, 400, "bad_request"),
        (bench.post("/api/isolates", json!([])).await, 400, "bad_request"),
        (bench.post("/api/isolates/none/cancel", json!({})).await, 404, "not_found"),
        (bench.post("/api/isolates", json!({"name": "x".repeat(17 << 20)})).await, 413, "too_large"),
        (bench.get("/api/isolates/%FF").await, 400, "bad_request"),
        (bench.get("/api/isolates/a%20b").await, 400, "bad_name"),
    ] {
        if kind.is_empty() {
            assert!(answer.text.starts_with("event: gone"), "{}", answer.text);
            continue;
        }
        assert_eq!((answer.status, &answer.json["error"]["kind"]), (status, &json!(kind)), "{}", answer.text);
        assert!(answer.json["error"]["message"].as_str().unwrap().len() > 10, "{}", answer.text);
    }
    assert_eq!(bench.get("/api/counts").await.json["total"], json!(1), "nothing was spawned by mistake");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_pages_and_forms_are_refused() {
    let bench = Bench::new().await;
    let local = format!("http://{}", bench.handle.address());
    for (method, headers, status) in [
        (Method::GET, vec![("host", "evil.example")], 403),
        (Method::GET, vec![("host", "inspector.example")], 200),
        (Method::GET, vec![("origin", "http://evil.example")], 403),
        (Method::GET, vec![("origin", local.as_str())], 200),
        (Method::POST, vec![("content-type", "text/plain")], 415),
        (Method::POST, vec![("content-type", "application/json"), ("origin", "null")], 403),
    ] {
        let answer = bench
            .ask(method, "/api/isolates", &headers, r#"{"name": "x", "flow": "nap", "args": {"seconds": 1}}"#)
            .await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text);
    }
    assert_eq!(bench.get("/api/counts").await.json["total"], json!(0));
    let page = bench.get("/").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_follow_an_isolate_to_its_end_and_are_not_too_many() {
    let bench = Bench::new().await;
    bench.spawn("c1", "counter", json!({"limit": 60})).await;
    let mut events = bench.follow("/api/isolates/c1/events").await;
    let begun = Instant::now();
    let (mut seen, mut counts) = (0_u32, Vec::new());
    let last = loop {
        let (name, state) = events.next().await.unwrap();
        assert_eq!(name, "state");
        seen += 1;
        let variables = state["tasks"][0]["frames"][0]["variables"].as_array().cloned().unwrap_or_default();
        let count = variables.iter().find(|v| v["name"] == json!("count"));
        counts.extend(count.and_then(|v| v["value"].as_i64()));
        if state["status"] == json!("done") {
            break state;
        }
    };
    assert_eq!(last["result"], json!(60));
    assert!(counts.len() >= 2 && counts.is_sorted(), "the variable is followed: {counts:?}");
    let most = begun.elapsed().as_millis() / 200 + 2;
    assert!(u128::from(seen) <= most, "{seen} events in {:?}", begun.elapsed());
    bench.ask(Method::DELETE, "/api/isolates/c1", &[("content-type", "application/json")], "").await;
    let (name, gone) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &gone["error"]["kind"]), ("gone", &json!("not_found")));
    assert_eq!(events.next().await, None, "nothing comes after that");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_follow_the_list() {
    let bench = Bench::new().await;
    let mut events = bench.follow("/api/events?flow=nap").await;
    assert_eq!(events.next().await.unwrap().1["isolates"], json!([]));
    bench.spawn("n1", "nap", json!({"seconds": 600})).await;
    loop {
        let (_, state) = events.next().await.unwrap();
        if state["isolates"][0]["status"] == json!("sleeping") {
            assert_eq!(state["total"], json!(1));
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_the_engine_and_cuts_who_waits() {
    let bench = Bench::new().await;
    bench.spawn("n1", "nap", json!({"seconds": 600})).await;
    let mut events = bench.follow("/api/isolates/n1/events").await;
    events.next().await.unwrap();
    let address = bench.handle.address();
    let begun = Instant::now();
    let (waiting, ()) = tokio::join!(bench.get("/api/isolates/n1/result?timeout=60"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        bench.engine.shutdown().await;
    });
    assert_eq!(waiting.json["error"]["kind"], json!("stopping"), "{}", waiting.text);
    bench.handle.stop().await;
    while events.next().await.is_some() {}
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_address_is_an_error_that_names_it() {
    let bench = Bench::new().await;
    let config = deepslate_inspector::Config { address: bench.handle.address().to_string(), hosts: Vec::new() };
    let error = deepslate_inspector::serve(bench.engine.clone(), config).await.unwrap_err();
    assert!(error.is_taken());
    assert!(error.to_string().contains(&bench.handle.address().to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_in_the_json_form_of_values() {
    let bench = Bench::new().await;
    bench.spawn("v", "values", json!({})).await;
    // Not by its own answer, whose NaN this reader of JSON refuses.
    bench.until("/api/isolates?prefix=v", |list| list["isolates"][0]["status"] == json!("sleeping")).await;
    let text = bench.get("/api/isolates/v").await.text;
    for wanted in [
        r#""value": {"name":"lamp","price":40.0}"#,
        r#""value": {"a":1}"#,
        r#""value": {"$dict":[[7,true]]}"#,
        r#""value": {"$bytes":"AP8="}"#,
        r#""value": [NaN,Infinity]"#,
        r#""value": [3]"#,
        r#""value": [1,null]"#,
        r#""value": "red""#,
        r#""value": {"$queue":1}"#,
        r#""preview": "[1000,1000,"#,
        r#""step": 1"#,
    ] {
        assert!(text.contains(wanted), "{wanted} is missing from {text}");
    }
}
