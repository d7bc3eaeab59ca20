//! What a full disk, a wrong directory, a second engine, a newer format and a flipped byte do to an engine on the embedded
//! store: an error that says what and where and what to do, and nothing to the ten isolates beside it.

use crate::support::{Asked, asking, embedded, hosts, image, next, options, said, start, until, value};
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::storage::backends::embedded::{Embedded, FILE, Options as Opening};
use deepslate_engine::storage::{Kind, Status, Store};
use deepslate_engine::{Engine, Kind as EngineKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;

/// Each isolate waits in `ask` once, with a text of its own in its frame; then it needs some more commits.
const FLOWS: &str = r#"
from deepslate import flow, impure, sleep

@impure
async def ask(key: int) -> int: ...

@flow
async def work(key: int) -> str:
    mark: str = f"the mark of isolate {key}"
    answer: int = await ask(key)
    for i in range(5):
        sleep(0)
        answer = answer + 1
    return f"{mark}: {answer}"

@flow
async def hoard(megabytes: int) -> int:
    texts: list[str] = []
    for i in range(megabytes):
        texts.append("x" * 1000000)
        sleep(0)
    return len(texts)
"#;

/// The same under other names, so that it is another program.
const OTHER: &str = r#"
from deepslate import flow, impure, sleep

@impure
async def ask(key: int) -> int: ...

@flow
async def other_work(key: int) -> int:
    answer: int = await ask(key)
    sleep(0)
    return answer + 1
"#;

async fn open(directory: &Path) -> (Engine, UnboundedReceiver<Asked>) {
    let (ask, asked) = asking();
    let engine = start(embedded(directory).await, options(), hosts(&[("ask", ask)]), &[&image(FLOWS)]).await;
    (engine, asked)
}

/// Spawns `work` for these, until each has made its call and its commit; gives the calls.
async fn begun(engine: &Engine, asked: &mut UnboundedReceiver<Asked>, keys: std::ops::Range<i64>) -> Vec<Asked> {
    let mut calls = Vec::new();
    for key in keys {
        engine.spawn(&format!("work-{key}"), "work", vec![Datum::Int(key)]).await.expect("it is spawned");
        calls.push(next(asked).await);
    }
    calls
}

/// A store at rest in which eleven isolates wait in their call.
async fn eleven_at_rest(directory: &Path) {
    let (engine, mut asked) = open(directory).await;
    begun(&engine, &mut asked, 0..11).await;
    engine.shutdown().await;
    drop(engine);
    // Closed for good, the WAL in the file.
    drop(embedded(directory).await);
    assert!(!directory.join(format!("{FILE}-wal")).exists());
}

/// Answers the calls that come, and waits until the ten beside number 0 have finished with the right result.
async fn ten_finish(engine: &Engine, asked: &mut UnboundedReceiver<Asked>) {
    finish(engine, asked, 1..11).await;
}

async fn finish(engine: &Engine, asked: &mut UnboundedReceiver<Asked>, keys: std::ops::Range<i64>) {
    for _ in keys.clone() {
        let call = next(asked).await;
        let Datum::Int(key) = call.args[0] else { panic!("{:?}", call.args) };
        assert!(keys.contains(&key), "{key}");
        call.answer(Datum::Int(key * 100));
    }
    for key in keys {
        let wanted = format!("the mark of isolate {key}: {}", key * 100 + 5);
        assert_eq!(value(engine, &format!("work-{key}")).await, Datum::Str(wanted));
    }
}

fn file(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Flips one bit in the file, everywhere where this text stands.
fn flip_text(directory: &Path, text: &str) {
    let mut bytes = std::fs::read(file(directory)).expect("the file reads");
    let places = bytes.windows(text.len()).enumerate().filter(|(_, window)| *window == text.as_bytes());
    let places: Vec<usize> = places.map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "`{text}` is in the file");
    places.into_iter().for_each(|at| bytes[at + text.len() / 2] ^= 0x01);
    std::fs::write(file(directory), bytes).expect("the file writes");
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_everything_with_a_reason_and_everything_goes_on_when_there_is_space() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = embedded(directory.path()).await;
    let (ask, mut asked) = asking();
    let engine = start(Arc::clone(&store) as Arc<dyn Store>, options(), hosts(&[("ask", ask)]), &[&image(FLOWS)]).await;
    let calls = begun(&engine, &mut asked, 1..11).await;
    let bytes = std::fs::metadata(file(directory.path())).expect("it is there").len();
    store.limit_bytes(bytes + (2 << 20)).await.expect("there is a bound");
    engine.spawn("hoard", "hoard", vec![Datum::Int(8)]).await.expect("it is spawned");
    until("the disk is full", async || engine.not_ready().is_some_and(|reason| reason.contains("no space"))).await;
    let reason = engine.not_ready().expect("it is still full");
    says(&reason, &[&file(directory.path()).display().to_string(), "no space", "free some"]);
    calls.into_iter().for_each(|call| {
        let Datum::Int(key) = call.args[0] else { panic!("{:?}", call.args) };
        call.answer(Datum::Int(key * 100));
    });
    // Nobody is told of a spawn that is not stored; what is stored can be looked at.
    let late = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.spawn("late", "hoard", vec![Datum::Int(0)]).await })
    };
    for key in 1..11 {
        assert!(engine.show(&format!("work-{key}")).await.expect("it is there").view.is_some());
    }
    assert!(!late.is_finished() && engine.counts().await.expect("counts").get(Status::Done) == 0);
    // It needs more than there is still, and stays as it is.
    store.limit_bytes(bytes + (3 << 20)).await.expect("there is a bound");
    assert!(engine.counts().await.expect("counts").get(Status::Failed) == 0);
    store.limit_bytes(1 << 30).await.expect("there is space again");
    for key in 1..11 {
        let wanted = format!("the mark of isolate {key}: {}", key * 100 + 5);
        assert_eq!(value(&engine, &format!("work-{key}")).await, Datum::Str(wanted));
    }
    assert_eq!(value(&engine, "hoard").await, Datum::Int(8));
    late.await.expect("no panic").expect("it is spawned after all");
    assert_eq!(value(&engine, "late").await, Datum::Int(0));
    assert_eq!(engine.not_ready(), None);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_in_use_is_refused_with_its_name_and_its_user() {
    let directory = tempfile::tempdir().expect("a directory");
    let (engine, mut asked) = open(directory.path()).await;
    let calls = begun(&engine, &mut asked, 1..11).await;
    let error = Embedded::open(Opening::new(directory.path())).await.expect_err("it is in use");
    assert_eq!(error.kind(), Kind::Locked);
    let process = format!("process {}", std::process::id());
    says(
        &error.to_string(),
        &[&directory.path().display().to_string(), &process, "stop that one", "another directory"],
    );
    for call in calls {
        let Datum::Int(key) = call.args[0] else { panic!("{:?}", call.args) };
        call.answer(Datum::Int(key * 100));
    }
    for key in 1..11 {
        let wanted = format!("the mark of isolate {key}: {}", key * 100 + 5);
        assert_eq!(value(&engine, &format!("work-{key}")).await, Datum::Str(wanted));
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_format_is_refused_with_file_and_versions_and_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven_at_rest(directory.path()).await;
    let set = |version: i32| {
        let conn = rusqlite::Connection::open(file(directory.path())).expect("opens");
        conn.pragma_update(None, "user_version", version).expect("sets");
    };
    set(7);
    let before = std::fs::read(file(directory.path())).expect("reads");
    let error = Embedded::open(Opening::new(directory.path())).await.expect_err("it is newer");
    assert_eq!(error.kind(), Kind::Newer);
    let path = file(directory.path()).display().to_string();
    says(&error.to_string(), &[&path, "format 7", "up to 1", "use the newer version"]);
    assert!(std::fs::read(file(directory.path())).expect("reads") == before, "not a byte is changed");
    set(1);
    let (engine, mut asked) = open(directory.path()).await;
    finish(&engine, &mut asked, 0..11).await;
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_a_snapshot_parks_its_isolate_and_no_other() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven_at_rest(directory.path()).await;
    flip_text(directory.path(), "the mark of isolate 0");
    let (engine, mut asked) = open(directory.path()).await;
    ten_finish(&engine, &mut asked).await;
    until("it is parked", async || crate::support::status(&engine, "work-0").await == Status::Parked).await;
    let shown = engine.show("work-0").await.expect("it is there");
    let reason = shown.summary.parked.expect("it has a reason");
    says(&reason, &[&shown.summary.id.to_string(), "work-0", "part 0", "backup"]);
    says(shown.view_error.as_deref().expect("nothing can be shown"), &["part 0"]);
    // Asking again gives the same; its bytes are left as they are.
    let error = engine.resume("work-0").await.expect_err("it can't go on");
    says(&error.to_string(), &["work-0", "part 0"]);
    let bytes = std::fs::read(file(directory.path())).expect("reads");
    let store = embedded_reader(directory.path()).await;
    assert_eq!(store.snapshot(shown.summary.id).await.expect_err("it is damaged").kind(), Kind::Corrupt);
    assert!(!bytes.is_empty());
    // It can still be given up.
    assert!(engine.cancel("work-0").await.expect("it is cancelled").changed);
    engine.delete("work-0").await.expect("it is deleted");
    assert_eq!(engine.show("work-0").await.expect_err("it is gone").kind(), EngineKind::NotFound);
    engine.shutdown().await;
}

async fn embedded_reader(directory: &Path) -> Embedded {
    Embedded::open_read_only(directory).await.expect("opens for reading")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_a_program_parks_its_isolates_until_it_is_deployed_again() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven_at_rest(directory.path()).await;
    let (ask, mut asked) = asking();
    let other = image(OTHER);
    let engine = start(embedded(directory.path()).await, options(), hosts(&[("ask", ask)]), &[&other]).await;
    // Those of the first program ask again, beside the one of the other.
    engine.spawn("other", "other_work", vec![Datum::Int(-1)]).await.expect("it is spawned");
    for _ in 0..12 {
        next(&mut asked).await;
    }
    engine.shutdown().await;
    drop(engine);
    drop(embedded(directory.path()).await);
    flip_text(directory.path(), "other_work(key: int)");

    let (engine, mut asked) = open(directory.path()).await;
    finish(&engine, &mut asked, 0..11).await;
    until("it is parked", async || crate::support::status(&engine, "other").await == Status::Parked).await;
    let reason = engine.show("other").await.expect("it is there").summary.parked.expect("it has a reason");
    says(&reason, &[&other.hash().to_string(), "damaged", "deploy"]);
    engine.deploy(other).await.expect("it is deployed again");
    let resumed = engine.resume("other").await.expect("it goes on");
    assert_ne!(resumed.status, Status::Parked);
    let call = next(&mut asked).await;
    assert_eq!(call.args, [Datum::Int(-1)]);
    call.answer(Datum::Int(7));
    assert_eq!(value(&engine, "other").await, Datum::Int(8));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_the_page_of_an_index_is_mended_and_told() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven_at_rest(directory.path()).await;
    let pristine = std::fs::read(file(directory.path())).expect("reads");
    let (mut scattered, mut told) = (0, 0);
    for index in ["isolate_id", "isolate_name", "isolate_runnable"] {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(file(directory.path()), &pristine).expect("writes");
        let conn = rusqlite::Connection::open(file(directory.path())).expect("opens");
        let query = "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = ?1";
        let found = conn.query_row(query, [index], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let (page, size) = found.map(|(page, size)| (page as usize, size as usize)).expect("it has a page");
        drop(conn);
        let mut bytes = pristine.clone();
        // The number of its cells, and the last byte of the key that is highest on the page's end.
        for at in [4, size - 3] {
            bytes.clone_from(&pristine);
            bytes[(page - 1) * size + at] ^= 0x04;
            std::fs::write(file(directory.path()), &bytes).expect("writes");
            let (engine, mut asked) = open(directory.path()).await;
            finish(&engine, &mut asked, 0..11).await;
            engine.shutdown().await;
            drop(engine);
            drop(embedded(directory.path()).await);
            scattered += 1;
            let path = file(directory.path()).display().to_string();
            told += usize::from(said().lines().any(|line| {
                line.contains(&path) && line.contains("an index of the store was damaged") && line.contains("backup")
            }));
            std::fs::remove_file(file(directory.path())).expect("it is removed");
        }
    }
    assert_eq!((scattered, told), (6, 6));
}

/// Where a test may be root, whom no permission stops, a process of somebody else does what has to be refused.
#[cfg(unix)]
mod permission {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    const DIRECTORY: &str = "DEEPSLATE_SHOW_UNWRITABLE";
    /// The user that owns nothing.
    const NOBODY: u32 = 65534;

    fn allow(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions are set");
    }

    /// Not a test by itself: what `a_directory_that_may_not_be_written` runs as somebody who is not root.
    #[tokio::test(flavor = "multi_thread")]
    async fn child() {
        let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
        eleven_at_rest(&directory).await;
        let refused = async |directory: &Path, words: &[&str]| {
            let opened = Embedded::open(Opening::new(directory)).await;
            let error = opened.expect_err("it may not be written");
            assert_eq!(error.kind(), Kind::Refused);
            says(&error.to_string(), words);
            says(&error.to_string(), &[&directory.display().to_string(), "permission"]);
        };
        let may_not = "it may not be written; give this user the permission to write it and its directory";
        for (of_directory, of_file) in [(0o555, 0o444), (0o555, 0o644), (0o755, 0o444)] {
            allow(&directory, of_directory);
            allow(&file(&directory), of_file);
            refused(&directory, &[FILE, may_not]).await;
            // It can be looked at all the same.
            let reader = embedded_reader(&directory).await;
            assert_eq!(reader.counts(None).await.expect("counts").total(), 11);
        }
        allow(&directory, 0o555);
        refused(&directory.join("new"), &["can't be written", "choose another directory"]).await;
        allow(&directory, 0o755);
        // What SQLite keeps beside the file has the file's permissions of the time it was made.
        for entry in std::fs::read_dir(&directory).expect("it is read") {
            allow(&entry.expect("an entry").path(), 0o644);
        }
        let (engine, mut asked) = open(&directory).await;
        finish(&engine, &mut asked, 0..11).await;
        engine.shutdown().await;
    }

    #[test]
    fn a_directory_that_may_not_be_written_is_refused_with_its_name() {
        let place = tempfile::tempdir().expect("a directory");
        let directory = place.path().join("store");
        std::fs::create_dir(&directory).expect("it is made");
        let is_root = std::fs::metadata(&directory).expect("it is there").uid() == 0;
        let mut command = if is_root {
            // Where the test itself lies others may not go.
            let copy = place.path().join("show");
            std::fs::copy(std::env::current_exe().expect("this test has a file"), &copy).expect("it is copied");
            allow(place.path(), 0o755);
            allow(&copy, 0o755);
            std::os::unix::fs::chown(&directory, Some(NOBODY), Some(NOBODY)).expect("it is given away");
            let mut command = Command::new(copy);
            command.uid(NOBODY).gid(NOBODY).current_dir(place.path());
            command
        } else {
            Command::new(std::env::current_exe().expect("this test has a file"))
        };
        command.args(["--exact", "damage::permission::child", "--nocapture"]).env(DIRECTORY, &directory);
        let output = command.output().expect("the child starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_a_newer_format_parks_its_isolate_and_no_other() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven_at_rest(directory.path()).await;
    let reader = embedded_reader(directory.path()).await;
    let head = reader.head_by_name("default", "work-0").await.expect("reads").expect("is there");
    let part = reader.snapshot(head.id).await.expect("reads").expect("is there").parts.remove(0);
    drop(reader);
    // As a later version would have written it: sound for the store, unknown to the machine.
    let mut bytes = part.bytes.to_vec();
    let format = b"DSLTPART".len();
    bytes[format] = 99;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&head.id.0);
    checksum.update(&u64::from(part.number).to_le_bytes());
    checksum.update(&(bytes.len() as u64).to_le_bytes());
    checksum.update(&bytes);
    let conn = rusqlite::Connection::open(file(directory.path())).expect("opens");
    let put =
        "UPDATE part SET bytes = ?1, checksum = ?2 WHERE place = ((SELECT n FROM isolate WHERE id = ?3) << 20) + ?4";
    let changed = conn.execute(put, rusqlite::params![bytes, checksum.finalize(), &head.id.0[..], part.number]);
    assert_eq!(changed.expect("it is put"), 1);
    drop(conn);
    let (engine, mut asked) = open(directory.path()).await;
    ten_finish(&engine, &mut asked).await;
    until("it is parked", async || crate::support::status(&engine, "work-0").await == Status::Parked).await;
    let shown = engine.show("work-0").await.expect("it is there");
    let reason = shown.summary.parked.expect("it has a reason");
    says(&reason, &["work-0", "part", "format 99", "use a newer engine"]);
    engine.shutdown().await;
}
