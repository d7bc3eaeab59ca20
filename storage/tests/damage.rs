//! What the embedded store does when its directory is full, locked, newer, not writable or damaged.

mod support;

use bytes::Bytes;
use deepslate_storage::backends::embedded::{Embedded, LOCK, Options};
use deepslate_storage::{Error, Filter, Kind, Outcome, Part, ProgramHash, Seq, Status, Store};
use support::{Room, file, flip_byte, flip_text, id, open, page_of};

async fn refusal(directory: &std::path::Path) -> Error {
    Embedded::open(Options::new(directory)).await.expect_err("it does not open")
}

/// Ten isolates beside the damaged one, number 0, each one step on and still right.
async fn ten_others_go_on(room: &Room, from: u64) {
    for n in 1..=10 {
        room.apply(room.step(n, from)).await;
    }
    for n in 1..=10 {
        let snapshot = room.store.snapshot(id(n)).await.expect("reads").expect("is there");
        assert_eq!(snapshot.head.seq, Seq(from));
        assert_eq!(snapshot.parts[0].bytes, format!("part-of-{n}-at-{from}"));
    }
}

async fn eleven(directory: &std::path::Path) {
    let room = open(directory).await;
    let batch = (0..=10).map(|n| room.step(n, 1)).collect();
    let outcomes = room.store.commit(batch).await.expect("answers");
    assert!(outcomes.iter().all(Outcome::is_durable), "{outcomes:?}");
}

#[tokio::test]
async fn a_full_disk_applies_nothing_and_goes_on_when_space_is_free() {
    let directory = tempfile::tempdir().expect("a directory");
    let room = open(directory.path()).await;
    room.apply(room.step(0, 1)).await;
    room.store.limit_bytes(1).await.expect("a bound below the present size stops growth");
    let mut big = room.step(0, 2);
    big.put_part = Some(Part { number: 0, bytes: Bytes::from(vec![7; 1 << 20]) });
    let others: Vec<_> = (1..=10).map(|n| room.step(n, 1)).collect();
    let mut batch = vec![big];
    batch.extend(others);
    for _ in 0..3 {
        let error = room.store.commit(batch.clone()).await.expect_err("there is no space");
        assert_eq!(error.kind(), Kind::Full, "{error}");
        assert!(error.to_string().contains("deepslate.db") && error.to_string().contains("free some"), "{error}");
    }
    let snapshot = room.store.snapshot(id(0)).await.expect("reads go on").expect("is there");
    assert_eq!((snapshot.head.seq, &snapshot.parts[0].bytes[..]), (Seq(1), &b"part-of-0-at-1"[..]));
    assert_eq!(room.store.head(id(1)).await.expect("reads"), None, "nothing of the batch was applied");
    room.store.limit_bytes(1 << 30).await.expect("raises");
    let outcomes = room.store.commit(batch).await.expect("the same batch, without a restart");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
    ten_others_go_on(&room, 2).await;
    assert_eq!(room.store.counts(None).await.expect("counts").get(Status::Running), 11);
}

#[tokio::test]
async fn a_second_engine_is_refused_with_directory_and_process() {
    let directory = tempfile::tempdir().expect("a directory");
    let room = open(directory.path()).await;
    let error = refusal(directory.path()).await;
    assert_eq!(error.kind(), Kind::Locked);
    let text = error.to_string();
    assert!(text.contains(&*directory.path().to_string_lossy()), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    room.apply(room.step(0, 1)).await;
    drop(room);
    open(directory.path()).await;
}

#[tokio::test]
async fn a_newer_format_is_refused_with_file_and_versions_and_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven(directory.path()).await;
    let conn = rusqlite::Connection::open(file(directory.path())).expect("opens");
    conn.pragma_update(None, "user_version", 2).expect("sets");
    drop(conn);
    let before = std::fs::read(file(directory.path())).expect("reads");
    for error in [refusal(directory.path()).await, Embedded::open_read_only(directory.path()).await.expect_err("newer")]
    {
        assert_eq!(error.kind(), Kind::Newer);
        let text = error.to_string();
        assert!(text.contains("deepslate.db") && text.contains("format 2") && text.contains("up to 1"), "{text}");
    }
    assert!(std::fs::read(file(directory.path())).expect("reads") == before);
}

#[tokio::test]
async fn another_programs_file_and_no_database_are_told_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let conn = rusqlite::Connection::open(file(directory.path())).expect("opens");
    conn.execute_batch("CREATE TABLE theirs (n)").expect("creates");
    drop(conn);
    let error = refusal(directory.path()).await;
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("another program"), "{error}");
    std::fs::write(file(directory.path()), vec![b'x'; 9000]).expect("writes");
    let error = refusal(directory.path()).await;
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.to_string().contains("deepslate.db"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_directory_that_cannot_be_written_is_refused_with_its_name() {
    // Nobody may make a file there, not even root.
    for directory in ["/sys/kernel", "/sys/kernel/deepslate"] {
        let error = refusal(std::path::Path::new(directory)).await;
        assert_eq!(error.kind(), Kind::Refused);
        let text = error.to_string();
        assert!(text.contains(directory) && text.contains("permission"), "{text}");
    }
}

#[tokio::test]
async fn a_reader_works_beside_the_engine_and_on_a_store_at_rest_and_never_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let none = Embedded::open_read_only(directory.path()).await.expect_err("there is no store");
    assert_eq!(none.kind(), Kind::Refused);
    let room = open(directory.path()).await;
    room.apply(room.step(0, 1)).await;
    let reader = Embedded::open_read_only(directory.path()).await.expect("opens beside the engine");
    assert_eq!(reader.shard_count(), 4);
    assert_eq!(reader.head(id(0)).await.expect("reads").map(|head| head.seq), Some(Seq(1)));
    room.apply(room.step(0, 2)).await;
    assert_eq!(reader.head(id(0)).await.expect("reads").map(|head| head.seq), Some(Seq(2)), "it sees what is new");
    assert_eq!(reader.commit(vec![room.step(0, 3)]).await.expect_err("reads only").kind(), Kind::Refused);
    assert_eq!(reader.sessions().await.expect("reads").len(), 1);
    drop(room);
    assert_eq!(reader.head(id(0)).await.expect("reads").map(|head| head.seq), Some(Seq(2)), "the engine has gone");
    drop(reader);
    let reader = Embedded::open_read_only(directory.path()).await.expect("opens at rest");
    let page = reader.list(&Filter::default(), None, 10).await.expect("lists");
    assert_eq!(page.heads.len(), 1);
}

#[tokio::test]
async fn a_flipped_byte_in_a_part_names_isolate_and_part_and_stops_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven(directory.path()).await;
    flip_text(directory.path(), "part-of-0-at-1");
    let before = std::fs::read(file(directory.path())).expect("reads");
    let room = open(directory.path()).await;
    let error = room.store.snapshot(id(0)).await.expect_err("the part is damaged");
    assert_eq!(error.kind(), Kind::Corrupt);
    let text = error.to_string();
    assert!(text.contains(&id(0).to_string()) && text.contains("part 0") && text.contains("isolate-0"), "{text}");
    assert_eq!(room.store.head(id(0)).await.expect("the head is sound").map(|head| head.seq), Some(Seq(1)));
    ten_others_go_on(&room, 2).await;
    drop(room);
    let after = std::fs::read(file(directory.path())).expect("reads");
    let marker = before.windows(5).filter(|bytes| *bytes == b"-of-0").count();
    assert_eq!(after.windows(5).filter(|bytes| *bytes == b"-of-0").count(), marker, "its bytes are left as they are");
}

/// SQLite itself refuses the page: the commit of that isolate is undone whole, and answered alone.
#[tokio::test]
async fn a_damaged_page_of_a_table_fails_the_commit_of_its_isolate_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let room = open(directory.path()).await;
    // Nearly a page each, so that every part has one of its own.
    let long = |room: &Room, n: u64, seq: u64| {
        let bytes = Bytes::from(format!("{:>3500}", format!("long-part-of-{n}-")));
        deepslate_storage::Commit { put_part: Some(Part { number: 0, bytes }), ..room.step(n, seq) }
    };
    for n in 0..=10 {
        room.apply(long(&room, n, 1)).await;
    }
    drop(room);
    let path = file(directory.path());
    let bytes = std::fs::read(&path).expect("reads");
    // Old copies lie about in other pages; the one that counts is on a leaf (13) of a table.
    let mut pages = bytes.chunks(4096).enumerate();
    let holds = |page: &[u8]| page[0] == 13 && page.windows(15).any(|text| text == b"long-part-of-0-");
    let (page, _) = pages.find(|(_, page)| holds(page)).expect("it is there");
    flip_byte(directory.path(), page * 4096);
    let room = open(directory.path()).await;
    let outcomes = room.store.commit((0..=10).map(|n| long(&room, n, 2)).collect()).await.expect("answers");
    let Outcome::Failed(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.to_string().contains(&id(0).to_string()) && error.to_string().contains("deepslate.db"), "{error}");
    assert!(outcomes[1..].iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
    assert_eq!(room.store.head(id(0)).await.expect("reads").map(|head| head.seq), Some(Seq(1)), "nothing of it stays");
    assert_eq!(room.store.snapshot(id(0)).await.expect_err("its page is damaged").kind(), Kind::Corrupt);
    for n in 1..=10 {
        room.apply(long(&room, n, 3)).await;
        assert_eq!(room.store.snapshot(id(n)).await.expect("reads").expect("is there").head.seq, Seq(3));
    }
    assert_eq!(room.store.counts(None).await.expect("counts").total(), 11);
}

#[tokio::test]
async fn a_flipped_byte_in_a_head_names_the_isolate_and_lists_the_others() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven(directory.path()).await;
    flip_text(directory.path(), "state-of-0-at-1");
    let room = open(directory.path()).await;
    for error in [
        room.store.head(id(0)).await.expect_err("damaged"),
        room.store.head_by_name("tests", "isolate-0").await.expect_err("damaged"),
        room.store.snapshot(id(0)).await.expect_err("damaged"),
    ] {
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.to_string().contains(&id(0).to_string()), "{error}");
    }
    let page = room.store.list(&Filter::default(), None, 100).await.expect("lists");
    assert_eq!((page.heads.len(), page.damaged.len()), (10, 1));
    assert!(page.damaged[0].to_string().contains("isolate-0"), "{:?}", page.damaged);
    let mut after = None;
    let mut seen = 0;
    loop {
        let page = room.store.list(&Filter::default(), after, 2).await.expect("lists");
        seen += page.heads.len() + page.damaged.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, 11);
    ten_others_go_on(&room, 2).await;
}

#[tokio::test]
async fn a_flipped_byte_in_an_event_names_isolate_and_event() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven(directory.path()).await;
    flip_text(directory.path(), "event-of-0-at-1");
    let room = open(directory.path()).await;
    let error = room.store.events(id(0), 0, 10).await.expect_err("damaged");
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.to_string().contains("event 0") && error.to_string().contains(&id(0).to_string()), "{error}");
    ten_others_go_on(&room, 2).await;
}

#[tokio::test]
async fn a_flipped_byte_in_a_program_names_it_and_putting_it_again_cures_it() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven(directory.path()).await;
    let room = open(directory.path()).await;
    let hash = ProgramHash([0xab; 32]);
    room.store.put_program(hash, Bytes::from_static(b"the-image-of-a-program")).await.expect("puts");
    drop(room);
    flip_text(directory.path(), "the-image-of-a-program");
    let room = open(directory.path()).await;
    let error = room.store.program(hash).await.expect_err("damaged");
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(error.to_string().contains(&hash.to_string()) && error.to_string().contains("again"), "{error}");
    ten_others_go_on(&room, 2).await;
    room.store.put_program(hash, Bytes::from_static(b"the-image-of-a-program")).await.expect("puts");
    assert_eq!(room.store.program(hash).await.expect("sound").as_deref(), Some(&b"the-image-of-a-program"[..]));
}

/// Any byte of the page of any index: either it does not matter, or the index is made again; every isolate goes on and is found.
#[tokio::test]
async fn a_flipped_byte_in_the_page_of_an_index_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven(directory.path()).await;
    let pristine = std::fs::read(file(directory.path())).expect("reads");
    for index in ["isolate_id", "isolate_name", "isolate_due", "isolate_runnable", "isolate_ended"] {
        std::fs::write(file(directory.path()), &pristine).expect("writes");
        let (page, size) = page_of(directory.path(), index);
        // The whole header and the cell pointers, then every 37th byte of the rest.
        let places = (0..34).chain((34..size).filter(|at| at % 37 == 0));
        for at in places {
            std::fs::write(file(directory.path()), &pristine).expect("writes");
            flip_byte(directory.path(), page + at);
            let room = open(directory.path()).await;
            let what = format!("byte {at} of {index}");
            let mut due = 0;
            for shard in 0..4 {
                due += room
                    .store
                    .due(deepslate_storage::Shard(shard), None, i64::MAX, 100)
                    .await
                    .unwrap_or_else(|error| panic!("{what}: {error}"))
                    .len();
            }
            assert_eq!(due, 11, "{what}");
            let outcomes = room.store.commit((0..=10).map(|n| room.step(n, 2)).collect()).await;
            let outcomes = outcomes.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{what}: {outcomes:?}");
            for n in 0..=10 {
                let name = format!("isolate-{n}");
                let head = room.store.head_by_name("tests", &name).await.expect("reads").expect(&what);
                assert_eq!((head.id, head.seq), (id(n), Seq(2)), "{what}");
                assert_eq!(room.store.head(id(n)).await.expect("reads").expect(&what).seq, Seq(2));
            }
            drop(room);
            let conn = rusqlite::Connection::open(file(directory.path())).expect("opens");
            let check: String =
                conn.query_row("PRAGMA integrity_check(isolate)", [], |row| row.get(0)).expect("checks");
            assert_eq!(check, "ok", "{what}");
        }
    }
}

/// The same while the store is too large to be looked at when it opens, so that only what reads and writes meets the damage.
#[tokio::test]
async fn a_damaged_index_that_opening_does_not_see_is_made_again_by_whoever_meets_it() {
    let directory = tempfile::tempdir().expect("a directory");
    eleven(directory.path()).await;
    // Keys far apart make the store look large.
    let conn = rusqlite::Connection::open(file(directory.path())).expect("opens");
    conn.execute("UPDATE isolate SET n = n + 100000 WHERE id = ?1", [&id(10).0[..]]).expect("moves");
    conn.execute("UPDATE part SET place = place + (100000 << 20) WHERE place >> 20 = 11", []).expect("moves");
    conn.execute("UPDATE event SET n = n + 100000 WHERE n = 11", []).expect("moves");
    drop(conn);
    let pristine = std::fs::read(file(directory.path())).expect("reads");
    for index in ["isolate_due", "isolate_ended", "isolate_runnable"] {
        std::fs::write(file(directory.path()), &pristine).expect("writes");
        let (page, _) = page_of(directory.path(), index);
        // The kind of the page, and the number of its cells.
        for at in [0, 3, 4] {
            std::fs::write(file(directory.path()), &pristine).expect("writes");
            flip_byte(directory.path(), page + at);
            let room = open(directory.path()).await;
            let mut found = 0;
            for shard in (0..4).map(deepslate_storage::Shard) {
                let what = format!("byte {at} of {index}");
                let (due, ended, runnable) = (
                    room.store.due(shard, None, i64::MAX, 100).await.expect(&what).len(),
                    room.store.ended(shard, None, i64::MAX, 100).await.expect(&what).len(),
                    room.store.runnable(shard, None, 100).await.expect(&what).len(),
                );
                found += due + ended + runnable;
            }
            // Fewer cells than there are can't be noticed by a scan; a commit that misses its entry does.
            assert!(found == 33 || at != 0, "byte {at} of {index}: {found}");
            let outcomes = room.store.commit((0..=10).map(|n| room.step(n, 2)).collect()).await.expect("answers");
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
        }
    }
}

#[tokio::test]
async fn the_wal_is_cut_when_the_store_is_idle_and_gone_when_it_closes() {
    let directory = tempfile::tempdir().expect("a directory");
    let room = open(directory.path()).await;
    for seq in 1..=20 {
        let mut commit = room.step(0, seq);
        commit.put_part = Some(Part { number: 0, bytes: Bytes::from(vec![seq as u8; 200_000]) });
        room.apply(commit).await;
    }
    let wal = directory.path().join("deepslate.db-wal");
    assert!(std::fs::metadata(&wal).expect("there is one").len() > 1_000_000);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::fs::metadata(&wal).expect("there is one").len() > 0 {
        assert!(std::time::Instant::now() < deadline, "the WAL was not cut");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(room);
    assert!(!wal.exists());
    assert!(std::fs::metadata(file(directory.path())).expect("is there").len() < 2_000_000, "old parts were reused");
    assert!(directory.path().join(LOCK).exists());
}

/// Wherever a byte of the schema is another one: either everything is right, for it did not matter or an index was made again, or the
/// error names the file. Nothing waits for ever.
#[tokio::test]
async fn a_damaged_schema_is_an_error_that_names_the_file_or_does_not_matter() {
    let original = tempfile::tempdir().expect("a directory");
    eleven(original.path()).await;
    let whole = std::fs::read(file(original.path())).expect("reads");
    let (mut refused, mut right) = (0, 0);
    // The schema lies at the end of the first page, so that every few bytes of it are as good as all.
    for at in (0..4096).step_by(13) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut bytes = whole.clone();
        bytes[at] ^= 0x04;
        std::fs::write(file(directory.path()), bytes).expect("writes");
        let outcome = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            let store = Embedded::open(Options::new(directory.path())).await?;
            for n in 0..=10 {
                let Some(snapshot) = store.snapshot(id(n)).await? else { return Ok(false) };
                // That a part is missing the engine sees, which knows how many there are.
                if let Some(part) = snapshot.parts.first() {
                    assert_eq!(part.bytes, format!("part-of-{n}-at-1"));
                }
            }
            store.counts(None).await?;
            store.list(&Filter::default(), None, 100).await?;
            Ok::<bool, Error>(true)
        });
        match outcome.await.unwrap_or_else(|_| panic!("with another byte {at} it does not end")) {
            Ok(all_there) => {
                assert!(all_there, "with another byte {at} isolates are gone without a word");
                right += 1;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("deepslate.db") && !text.contains("a bug of"), "byte {at}: {text}");
                refused += 1;
            }
        }
    }
    assert!(refused > 20 && right > 20, "{refused} refused, {right} right");
}
