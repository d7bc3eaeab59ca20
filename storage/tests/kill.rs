//! SIGKILL in the middle of commits: what was acknowledged is there, whole.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use deepslate_storage::backends::embedded::Embedded;
use deepslate_storage::{Outcome, Seq, Store};
use support::{id, open};

const DIRECTORY: &str = "DEEPSLATE_TEST_KILL_DIRECTORY";
const ISOLATES: u64 = 8;

/// Not a test: what the killed process does. It goes on from what it finds and says each step after it was acknowledged.
#[tokio::test]
async fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let room = open(Path::new(&directory)).await;
    let mut seqs = Vec::new();
    for n in 0..ISOLATES {
        seqs.push(room.store.head(id(n)).await.expect("reads").map_or(0, |head| head.seq.0));
    }
    loop {
        for seq in &mut seqs {
            *seq += 1;
        }
        let batch = (0..).zip(&seqs).map(|(n, &seq)| room.step(n, seq)).collect();
        let outcomes = room.store.commit(batch).await.expect("answers");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied)), "{outcomes:?}");
        let mut out = std::io::stdout().lock();
        // On standard output the test runner would hold it back until the test ends, which it never does.
        writeln!(out, "acknowledged {}", seqs[0]).and_then(|()| out.flush()).expect("the parent listens");
    }
}

#[tokio::test]
async fn every_acknowledged_commit_survives_sigkill() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut last = 0;
    for round in 0..12u64 {
        let mut child = Command::new(std::env::current_exe().expect("this test has a file"))
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let lines = BufReader::new(child.stdout.take().expect("it has an output")).lines();
        let acknowledged = |line: &str| line.strip_prefix("acknowledged ").and_then(|seq| seq.parse::<u64>().ok());
        let wanted = last + 1 + round * 7 % 23;
        let mut killed = false;
        for line in lines.map_while(Result::ok) {
            if let Some(seq) = acknowledged(&line) {
                last = last.max(seq);
                if seq >= wanted && !killed {
                    child.kill().expect("SIGKILL");
                    killed = true;
                }
            }
        }
        assert!(killed, "the child ended by itself");
        child.wait().expect("it is gone");
        if round % 3 == 0 {
            // A reader must see it too, with the WAL as the killed process left it.
            let reader = Embedded::open_read_only(directory.path()).await.expect("opens for reading");
            let head = reader.head(id(0)).await.expect("reads").expect("is there");
            assert!(head.seq >= Seq(last), "{} acknowledged, {} there", last, head.seq.0);
        }
        let room = open(directory.path()).await;
        for n in 0..ISOLATES {
            let snapshot = room.store.snapshot(id(n)).await.expect("reads").expect("is there");
            let seq = snapshot.head.seq.0;
            assert!(seq >= last && seq <= last + 1, "isolate {n}: {last} acknowledged, {seq} there");
            assert_eq!(snapshot.parts[0].bytes, format!("part-of-{n}-at-{seq}"));
            let events = room.store.events(id(n), 0, 100).await.expect("reads");
            assert_eq!(events.last().map(|event| event.0), Some(seq - 1));
        }
    }
    assert!(last >= 24, "the rounds went on from each other: {last}");
}
