//! The stored record: what is written is read, and whatever else is read is refused without a panic.

use super::event::{Event, EventKind};
use super::*;
use crate::http::route::Route;

fn records() -> Vec<Record> {
    let value = Datum::Object(vec![
        Datum::Int(i64::MIN),
        Datum::Float(-0.5),
        Datum::List(vec![Datum::Str("é".into()), Datum::Bytes(vec![0, 255]), Datum::None, Datum::Bool(true)]),
        Datum::Dict(vec![(Datum::Int(1), Datum::Tuple(vec![Datum::Bool(false)]))]),
    ]);
    let line = TraceLine { func: "f".into(), file: "a.py".into(), line: 3, column: 7 };
    let failure =
        Failure { kind: TrapKind::Division, message: "by zero".into(), task: 4, trace: vec![line], repeats: vec![] };
    let repeats = vec![Repeat { last: 1, lines: 2, times: 400 }];
    let deep = Failure { trace: [&failure.trace[..], &failure.trace[..]].concat(), repeats, ..failure.clone() };
    let plain = Record {
        args: "{\"limit\": 3}".into(),
        parts: vec![1, 2, 1_000_000_000_000],
        sleeps: [(1_700_000_000_000, 5), (1_600_000_000_000, 9)].into(),
        attempts: [(7, 2)].into(),
        applied: vec![u128::MAX, 3],
        ..Record::default()
    };
    vec![
        Record::default(),
        plain.clone(),
        Record { paused: true, ..plain.clone() },
        Record { parked: Some("part 3 is damaged".into()), ..plain.clone() },
        Record { ending: Some(Ending::Done(value)), ..plain.clone() },
        Record { ending: Some(Ending::Failed(failure)), ..plain.clone() },
        Record { ending: Some(Ending::Failed(deep)), ..plain.clone() },
        Record { ending: Some(Ending::Cancelled), ..plain.clone() },
        Record { mail: mail(), ..plain },
    ]
}

fn mail() -> Mail {
    let route = |method, path| Route::named(method, path).unwrap();
    Mail {
        routes: [route("GET", "/é"), route("POST", "/")].into(),
        queue: [(route("POST", "/a"), vec![0, 255]), (route("POST", "/"), Vec::new())].into(),
        keys: [(1_700_000_000_000, u128::MAX), (1_600_000_000_000, 1)].into(),
        heard: [(1_700_000_000_001, 7)].into(),
    }
}

#[test]
fn what_needs_nothing_newer_is_written_as_version_1() {
    assert_eq!(Record::default().encode()[0], 1);
    assert_eq!(Record { mail: mail(), ..Record::default() }.encode()[0], 2);
}

#[test]
fn what_is_written_is_read() {
    for record in records() {
        assert_eq!(Record::decode(&record.encode()), Ok(record));
    }
}

#[test]
fn a_record_cut_short_or_with_more_is_refused() {
    for record in records() {
        let bytes = record.encode();
        for end in 0..bytes.len() {
            assert!(Record::decode(&bytes[..end]).is_err(), "{record:?} cut at {end}");
        }
        let more = [&bytes[..], &[0]].concat();
        assert!(Record::decode(&more).is_err());
    }
}

#[test]
fn no_flipped_bit_panics() {
    for record in records() {
        let bytes = record.encode();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                // Some flips make another valid record: the store's checksum finds those.
                let _ = Record::decode(&flipped);
            }
        }
    }
}

#[test]
fn a_newer_format_says_so() {
    let error = Record::decode(&[9, 0]).expect_err("format 9");
    assert!(error.to_string().contains("format 9"), "{error}");
}

#[test]
fn a_value_nested_too_deep_is_refused() {
    let mut bytes = vec![1, 4];
    bytes.extend([7u8, 1].repeat(100_000));
    assert!(Record::decode(&bytes).expect_err("too deep").0.contains("nested"));
}

#[test]
fn the_last_messages_are_remembered() {
    let mut record = Record::default();
    for message in 0..400 {
        assert!(record.apply(message));
    }
    assert_eq!(record.applied.len(), APPLIED_OWN_MAX);
    assert!(!record.apply(399));
    assert!(record.apply(0));
}

#[test]
fn events_are_read_back() {
    let event = Event::new(EventKind::Log, 1_700_000_000_123, "a line");
    assert_eq!(Event::decode(&event.encode()), Ok(event));
    assert!(Event::decode(&[1, 99, 0]).is_err());
    assert!(Event::decode(&[2, 0, 0]).is_err());
    assert_eq!(cut("aé".repeat(10), 6), "aé…");
}

#[test]
fn a_recursion_is_stored_in_a_few_lines_that_say_how_deep_it_was() {
    let line = |line| TraceLine { func: "f".into(), file: "a.py".into(), line, column: 5 };
    let mut trace = vec![line(3); 999];
    trace.push(line(9));
    let trap =
        |trace| Trap { kind: TrapKind::Depth, message: "too deep".into(), task: deepslate_regvm::TaskId(0), trace };
    let failure = Failure::from(trap(trace));
    assert_eq!(failure.trace, [line(3), line(9)]);
    assert_eq!(
        failure.to_string(),
        format!("{}: too deep\n  in f at a.py:3:5\n  … the same 998 times more\n  in f at a.py:9:5", TrapKind::Depth)
    );
    // Of what does not repeat the middle is left out, and what repeats beyond it is still said of the right lines.
    let mut trace: Vec<_> = (10..1_000).map(line).collect();
    trace.extend(vec![line(3); 100]);
    let failure = Failure::from(trap(trace));
    assert_eq!(failure.trace.len(), TRACE_LINES_MAX);
    assert_eq!(failure.repeats, [Repeat { last: TRACE_LINES_MAX - 1, lines: 1, times: 99 }]);
    assert_eq!(failure.trace.last(), Some(&line(3)));
}
