//! A flow that never stops computing holds nobody up: not its own durable calls, not other isolates, not an operator.

use crate::support::{Asked, asking, embedded, hosts, image, next, options, start, status, until, value, variable};
use deepslate_engine::ir::datum::Datum;
use deepslate_engine::ir::image::Image;
use deepslate_engine::storage::Status;
use deepslate_engine::{Ending, Engine, Options};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

const FLOWS: &str = r#"
from deepslate import flow, impure, sleep, dpslio

@impure
async def ask(key: int) -> int: ...

@flow
async def echo(take: dpslio.Queue[int], give: dpslio.Queue[int]):
    rally: int = 0
    while True:
        rally = await take.get() + 1
        await give.put(rally)

@flow
async def table_tennis(key: int) -> int:
    left: dpslio.Queue[int] = dpslio.Queue[int]()
    right: dpslio.Queue[int] = dpslio.Queue[int]()
    dpslio.create_task(echo(left, right))
    dpslio.create_task(echo(right, left))
    await left.put(0)
    answer: int = await ask(key)
    print("answer", answer)
    while True:
        answer = await ask(answer)
    return answer

@flow
async def spin() -> int:
    x: int = 0
    while True:
        x = x + 1
    return x

@flow
async def counter(limit: int) -> int:
    count: int = 0
    while count < limit:
        sleep(0)
        count = count + 1
    return count
"#;

async fn open(directory: &Path, image: &Image, options: Options) -> (Engine, UnboundedReceiver<Asked>) {
    let (ask, asked) = asking();
    let engine = start(embedded(directory).await, options, hosts(&[("ask", ask)]), &[image]).await;
    (engine, asked)
}

/// An isolate is cancelled at its next poll, not when its slice or its flow is over.
async fn is_cancelled(engine: &Engine, name: &str) {
    let from = Instant::now();
    let answer = engine.cancel(name).await.expect("it is cancelled");
    assert!(answer.changed && answer.status == Status::Cancelled, "{answer:?}");
    assert!(from.elapsed() < Duration::from_secs(5), "it took {:?}", from.elapsed());
    let ending = engine.result(name, Some(Duration::from_secs(5))).await.expect("it has ended").ending;
    assert!(matches!(ending, Ending::Cancelled), "{ending:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_pass_items_for_ever_keep_no_result_from_a_third() {
    let directory = tempfile::tempdir().expect("a directory");
    let image = image(FLOWS);
    let (engine, mut asked) = open(directory.path(), &image, options()).await;
    let id = engine.spawn("match", "table_tennis", vec![Datum::Int(1)]).await.expect("it is spawned").id;
    let first = next(&mut asked).await;
    assert_eq!((first.isolate, first.step, &first.args[..]), (id, 0, &[Datum::Int(1)][..]));
    // The others play on meanwhile, and an operator sees them do so.
    let rally = async || {
        let view = engine.show("match").await.expect("it is there").view.expect("it runs");
        let shown = view.tasks.iter().flat_map(|task| &task.frames).flat_map(|frame| &frame.variables);
        shown.filter(|v| v.name == "rally").filter_map(|v| v.value.parse::<i64>().ok()).max().unwrap_or(0)
    };
    let before = rally().await;
    until("they play on", async || rally().await > before + 10_000).await;
    first.answer(Datum::Int(42));
    // That the second call comes proves that the first result is committed, and the items with it.
    let second = next(&mut asked).await;
    assert_eq!((second.step, second.attempt, &second.args[..]), (1, 1, &[Datum::Int(42)][..]));
    let seq = engine.show("match").await.expect("it is there").summary.seq;
    second.answer(Datum::Int(43));
    let third = next(&mut asked).await;
    assert_eq!((third.step, &third.args[..]), (2, &[Datum::Int(43)][..]));
    assert!(engine.show("match").await.expect("it is there").summary.seq > seq);
    // As a kill would: the next life asks for the third again, and only for it, and plays on from a committed item.
    drop(engine);
    let (engine, mut asked) = open(directory.path(), &image, options()).await;
    let again = next(&mut asked).await;
    assert_eq!((again.isolate, again.step, again.attempt), (id, 2, 2));
    assert_eq!(again.args, [Datum::Int(43)]);
    let events = engine.events("match", 0, 100).await.expect("reads");
    assert!(events.iter().any(|(_, event)| event.text == "answer 42"), "{events:?}");
    is_cancelled(&engine, "match").await;
    again.answer(Datum::Int(0));
    assert!(asked.try_recv().is_err(), "nothing is asked for a flow that is cancelled");
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_computations_let_others_go_on_and_can_be_paused_resumed_moved_and_cancelled() {
    let directory = tempfile::tempdir().expect("a directory");
    let image = image(FLOWS);
    // A worker that one of them kept would be missed.
    let (engine, _asked) = open(directory.path(), &image, Options { workers: 1, ..options() }).await;
    let spinning = ["spin-0", "spin-1", "spin-2"];
    for name in spinning {
        engine.spawn(name, "spin", vec![]).await.expect("it is spawned");
    }
    engine.spawn("counter", "counter", vec![Datum::Int(20)]).await.expect("it is spawned");
    assert_eq!(value(&engine, "counter").await, Datum::Int(20));
    let x = async |engine: &Engine, name: &str| -> i64 {
        variable(engine, name, "x").await.expect("x has a value").parse().expect("a number")
    };
    for name in spinning {
        until("each of them goes on", async || x(&engine, name).await > 1_000).await;
    }

    let paused = engine.pause("spin-0").await.expect("it is paused");
    assert!(paused.changed && paused.status == Status::Paused, "{paused:?}");
    let stood = x(&engine, "spin-0").await;
    let others = x(&engine, "spin-1").await;
    until("the others go on", async || x(&engine, "spin-1").await > others).await;
    assert_eq!(x(&engine, "spin-0").await, stood, "it stands while it is paused");
    let resumed = engine.resume("spin-0").await.expect("it is resumed");
    assert!(resumed.changed && resumed.status == Status::Running, "{resumed:?}");
    until("it goes on", async || x(&engine, "spin-0").await > stood).await;

    // A shutdown commits how far they have come; the next engine goes on from there.
    let mut came_to = Vec::new();
    for name in spinning {
        came_to.push(x(&engine, name).await);
    }
    let from = Instant::now();
    engine.shutdown().await;
    assert!(from.elapsed() < Duration::from_secs(10), "the shutdown took {:?}", from.elapsed());
    drop(engine);
    let (engine, _asked) = open(directory.path(), &image, options()).await;
    for (name, came_to) in spinning.into_iter().zip(came_to) {
        assert_eq!(status(&engine, name).await, Status::Running);
        assert!(x(&engine, name).await >= came_to, "{name} is not set back");
    }
    for name in spinning {
        is_cancelled(&engine, name).await;
    }
    engine.shutdown().await;
}

/// What nobody asks for is committed all the same from time to time, so that a kill does not set it back to the beginning.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_computation_is_committed_from_time_to_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let image = image(FLOWS);
    let options = Options { checkpoint: Duration::from_millis(50), ..options() };
    let (engine, _asked) = open(directory.path(), &image, options.clone()).await;
    engine.spawn("spin", "spin", vec![]).await.expect("it is spawned");
    until("it is committed", async || engine.show("spin").await.expect("it is there").summary.seq.0 >= 5).await;
    drop(engine);
    let store = embedded(directory.path()).await;
    let (ask, _asked) = asking();
    let engine = start(store, Options { workers: 1, ..options }, hosts(&[("ask", ask)]), &[&image]).await;
    let x: i64 = variable(&engine, "spin", "x").await.expect("x has a value").parse().expect("a number");
    assert!(x > 1_000, "it begins again at {x}");
    is_cancelled(&engine, "spin").await;
    engine.shutdown().await;
}

/// Who asks for the result of an isolate that has ended gets it, also while somebody else makes the engine read it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_result_comes_while_others_command_what_has_ended() {
    let directory = tempfile::tempdir().expect("a directory");
    let image = image(FLOWS);
    let (engine, _asked) = open(directory.path(), &image, options()).await;
    engine.spawn("counter", "counter", vec![Datum::Int(3)]).await.expect("it is spawned");
    assert_eq!(value(&engine, "counter").await, Datum::Int(3));
    let commanding = engine.clone();
    let commands = tokio::spawn(async move {
        for _ in 0..2_000 {
            let answer = commanding.cancel("counter").await.expect("it is answered");
            assert!(!answer.changed && answer.status == Status::Done, "{answer:?}");
        }
    });
    while !commands.is_finished() {
        let result = engine.result("counter", Some(Duration::from_secs(20))).await.expect("it has ended long ago");
        assert!(matches!(result.ending, Ending::Done(Datum::Int(3))));
    }
    commands.await.expect("no panic");
    engine.shutdown().await;
}
