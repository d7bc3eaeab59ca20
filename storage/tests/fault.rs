//! Faults on purpose, and that repeating after them does what the trait promises.

mod support;

use std::sync::Arc;

use deepslate_storage::backends::memory::Memory;
use deepslate_storage::wrap::{Fault, Injection};
use deepslate_storage::{Kind, Outcome, Store, backends};
use support::{Room, id};

#[tokio::test]
async fn a_lost_reply_is_answered_by_a_blind_repetition() {
    let room = Room::claimed(Fault::scripted(Arc::new(Memory::new()))).await;
    room.store.next("commit", Injection::lost_reply());
    let error = room.store.commit(vec![room.step(0, 1)]).await.expect_err("its answer is lost");
    assert_eq!(error.kind(), Kind::Retry);
    assert!(room.store.head(id(0)).await.expect("reads").is_some(), "it arrived");
    let outcomes = room.store.commit(vec![room.step(0, 1)]).await.expect("answers");
    assert!(matches!(outcomes[..], [Outcome::AlreadyApplied]), "{outcomes:?}");
}

#[tokio::test]
async fn a_fault_before_leaves_the_store_untouched() {
    let room = Room::claimed(Fault::scripted(Arc::new(Memory::new()))).await;
    room.store.next("commit", Injection::full());
    room.store.next("commit", Injection::unreachable());
    assert_eq!(room.store.commit(vec![room.step(0, 1)]).await.expect_err("first").kind(), Kind::Full);
    assert_eq!(room.store.commit(vec![room.step(0, 1)]).await.expect_err("second").kind(), Kind::Retry);
    assert!(room.store.head(id(0)).await.expect("reads").is_none());
    room.apply(room.step(0, 1)).await;
}

#[tokio::test]
async fn a_plan_sees_every_call_with_its_number() {
    let plan = |call: deepslate_storage::wrap::Call| match call.operation {
        "head" if call.number == 1 => Injection::unreachable(),
        _ => Injection::Delay(std::time::Duration::from_micros(1)),
    };
    let store = Fault::planned(Arc::new(Memory::new()), plan);
    assert!(store.head(id(0)).await.is_ok());
    assert!(store.head(id(0)).await.is_err());
    assert!(store.head(id(0)).await.is_ok());
}

#[tokio::test]
async fn the_table_opens_what_it_lists_and_says_what_it_does_not() {
    let directory = tempfile::tempdir().expect("a directory");
    for backend in backends::BACKENDS {
        let mut settings = backends::Settings::from([("shards".into(), "3".into())]);
        if backend.settings.iter().any(|(key, _)| *key == "path") {
            settings.insert("path".into(), directory.path().join(backend.name).display().to_string());
        }
        if backend.name == "postgres" {
            let Some(dsn) = support::server("DEEPSLATE_TEST_POSTGRES") else { continue };
            settings.insert("dsn".into(), dsn);
            settings.insert("schema".into(), format!("table_{}", std::process::id()));
        }
        if backend.name == "redis" {
            let Some(url) = support::server("DEEPSLATE_TEST_REDIS") else { continue };
            settings.insert("url".into(), url);
            settings.insert("prefix".into(), format!("table_{}", std::process::id()));
        }
        let store = backends::open(backend.name, &settings).await.expect("it opens");
        assert_eq!(store.shard_count(), 3, "{}", backend.name);
        settings.insert("shards".into(), "many".into());
        let error = backends::open(backend.name, &settings).await.expect_err("no number");
        assert!(error.to_string().contains("`shards` is `many`"), "{error}");
        settings.insert("shrads".into(), "3".into());
        let error = backends::open(backend.name, &settings).await.expect_err("no such setting");
        assert!(error.to_string().contains("`shrads`") && error.to_string().contains("shards"), "{error}");
    }
    let error = backends::open("floppy", &backends::Settings::new()).await.expect_err("no such backend");
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("embedded, memory"), "{error}");
}
