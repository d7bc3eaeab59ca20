//! What does durability cost? Steps a second, latency, recovery after SIGKILL and bytes, on the embedded store, with a host
//! function in Rust and one in Python, beside the disk's own fdatasync, all in one run: `cargo xtask bench durable`.
//!
//! Every measurement is a process of its own (this binary again, or Python on `flows.py`), which prints one line of JSON. What
//! counts is the ratio to fdatasync: absolute figures are the machine's.
#![forbid(unsafe_code)]

mod disk;
mod work;

use anyhow::{Context, Result, bail, ensure};
use disk::Disk;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A step of a sequential flow costs at most so many fdatasyncs.
const STEP_SYNCS_MAX: f64 = 4.0;
/// 200 flows of 10 steps make at least so many steps a second, in Rust.
const STEPS_MIN: f64 = 10_000.0;
/// The recoveries of a young and an old flow may differ by this factor, noise included.
const AGES_FACTOR_MAX: f64 = 1.5;
const AGES: [u64; 2] = [10, 20_000];
const RECOVERIES: usize = 9;

/// Whose host function is called.
#[derive(Clone, Debug)]
enum Face {
    Rust,
    Python(PathBuf),
}

impl Face {
    fn name(&self) -> &'static str {
        match self {
            Face::Rust => "Rust",
            Face::Python(_) => "Python",
        }
    }

    fn command(&self, work: &str, directory: &Path, numbers: &[u64]) -> Result<Command> {
        let mut command = match self {
            Face::Rust => Command::new(std::env::current_exe()?),
            Face::Python(python) => {
                let mut command = Command::new(python);
                command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("durable/flows.py"));
                command
            }
        };
        command.arg(work).arg(directory).args(numbers.iter().map(u64::to_string)).stdout(Stdio::piped());
        Ok(command)
    }

    /// Runs a piece of work to its end and gives what it printed.
    fn run(&self, work: &str, directory: &Path, numbers: &[u64]) -> Result<Value> {
        let output = self.command(work, directory, numbers)?.output()?;
        ensure!(output.status.success(), "{} in {} failed", work, self.name());
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().context("it prints a line")?;
        serde_json::from_str(line).with_context(|| format!("{line:?} is not JSON"))
    }
}

/// Seconds that something took, and what an fdatasync took before and after it.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    seconds: f64,
    sync: f64,
}

impl Took {
    fn syncs(self) -> f64 {
        self.seconds / self.sync
    }

    fn ms(self) -> String {
        format!("{:.2} ms, {:.1} fdatasyncs of {:.2} ms", self.seconds * 1e3, self.syncs(), self.sync * 1e3)
    }
}

/// What one face showed.
#[derive(Debug)]
struct Shown {
    /// A step of the one flow.
    sequential: Took,
    sequential_bytes: u64,
    /// A step of the many.
    many: Took,
    many_bytes: u64,
    p50: Took,
    p99: Took,
    single_bytes: u64,
    /// By age: to the next step, bytes of the isolate's snapshot, bytes of the store.
    recovery: [(Took, u64, u64); 2],
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [work, directory, numbers @ ..] = &args[..]
        && work::NAMES.contains(&work.as_str())
    {
        let numbers = numbers.iter().map(|n| n.parse()).collect::<Result<Vec<u64>, _>>()?;
        return work::run(work, Path::new(directory), &numbers);
    }
    let place = match &args[..] {
        [] => std::env::temp_dir(),
        [flag, directory] if flag == "--dir" => PathBuf::from(directory),
        _ => bail!("usage: durable [--dir DIRECTORY], a directory on the disk to be measured"),
    };
    let place = tempfile::tempdir_in(&place).with_context(|| place.display().to_string())?;
    let mut disk = Disk::new(place.path())?;
    disk.measure()?;
    let mut shown = vec![("Rust", show(&Face::Rust, place.path(), &mut disk)?)];
    match std::env::var_os("DEEPSLATE_BENCH_PYTHON") {
        Some(python) => shown.push(("Python", show(&Face::Python(python.into()), place.path(), &mut disk)?)),
        None => println!("without Python: DEEPSLATE_BENCH_PYTHON names none that has the wheel"),
    }
    print(&disk, &shown);
    Ok(())
}

fn show(face: &Face, place: &Path, disk: &mut Disk) -> Result<Shown> {
    let directory = |name: &str| place.join(format!("{}-{name}", face.name()));
    let list = |value: &Value, key: &str| -> Result<Vec<f64>> {
        let list = value[key].as_array().with_context(|| format!("{key} in {value}"))?;
        Ok(list.iter().filter_map(Value::as_f64).collect())
    };

    let (at, steps) = (directory("sequential"), 10_000);
    let seconds = middle(list(&face.run("sequential", &at, &[steps])?, "seconds")?) / steps as f64;
    let (sequential, sequential_bytes) = (Took { seconds, sync: disk.measure()? }, store_bytes(&at)?);

    let (at, flows, steps) = (directory("many"), 200, 10);
    let seconds = middle(list(&face.run("many", &at, &[flows, steps])?, "seconds")?) / (flows * steps) as f64;
    let (many, many_bytes) = (Took { seconds, sync: disk.measure()? }, store_bytes(&at)?);

    let at = directory("single");
    let mut single = list(&face.run("single", &at, &[1_000])?, "seconds")?;
    single.sort_by(f64::total_cmp);
    let sync = disk.measure()?;
    let took = |at: usize| Took { seconds: single[at], sync };
    let (p50, p99) = (took(single.len() / 2), took(single.len() * 99 / 100));
    let single_bytes = store_bytes(&at)?;

    let mut recovery = [(Took::default(), 0, 0); 2];
    for (age, recovered) in AGES.into_iter().zip(&mut recovery) {
        let (seconds, snapshot, store) = recover(face, &directory(&format!("recover-{age}")), age)?;
        *recovered = (Took { seconds, sync: disk.measure()? }, snapshot, store);
    }
    Ok(Shown { sequential, sequential_bytes, many, many_bytes, p50, p99, single_bytes, recovery })
}

/// Process start to next step after SIGKILL, of a flow with so many steps behind it.
fn recover(face: &Face, directory: &Path, past: u64) -> Result<(f64, u64, u64)> {
    let wanted = format!("step {past}");
    // Waits until the host function is called for that step, which it never ends.
    let wait = |child: &mut Child| -> Result<()> {
        let out: ChildStdout = child.stdout.take().context("it has an output")?;
        for line in BufReader::new(out).lines() {
            if line? == wanted {
                return Ok(());
            }
        }
        bail!("{} ended before {wanted}", face.name())
    };
    let mut times = Vec::new();
    for _ in 0..=RECOVERIES {
        let from = Instant::now();
        let mut child = face.command("recover", directory, &[past])?.spawn()?;
        let waited = wait(&mut child);
        times.push(from.elapsed().as_secs_f64());
        child.kill()?;
        child.wait()?;
        waited?;
        // The lease ends with the lock, not with time: nothing to wait for.
    }
    // The first life is the one that made the steps.
    times.remove(0);
    let snapshot = work::snapshot_bytes(directory)?;
    Ok((middle(times), snapshot, store_bytes(directory)?))
}

/// Bytes of the store's files when nothing uses them.
fn store_bytes(directory: &Path) -> Result<u64> {
    work::settle(directory)?;
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(disk: &Disk, shown: &[(&str, Shown)]) {
    let (median, p99) = (disk.median() * 1e3, disk.p99() * 1e3);
    println!("fdatasync after 4 KiB in place: {median:.2} ms (p99 {p99:.2} ms), {} times", disk.count());
    println!("beside each figure stands what it took right before and after\n");
    let header: String = shown.iter().map(|(name, _)| format!("{name:>50}")).collect();
    println!("{:<36}{header}", "");
    let row = |what: &str, cell: &dyn Fn(&Shown) -> String| {
        let cells: String = shown.iter().map(|(_, shown)| format!("{:>50}", cell(shown))).collect();
        println!("{what:<36}{cells}");
    };
    let rate = |took: Took| 1.0 / took.seconds;
    row("one flow of 10,000 steps", &|s| format!("{:.0} steps/s", rate(s.sequential)));
    row("        a step", &|s| s.sequential.ms());
    row("200 flows of 10 steps", &|s| format!("{:.0} steps/s", rate(s.many)));
    row("        steps an fdatasync", &|s| format!("{:.1} of {:.2} ms", 1.0 / s.many.syncs(), s.many.sync * 1e3));
    row("start to result of one step: p50", &|s| s.p50.ms());
    row("                             p99", &|s| s.p99.ms());
    for (index, age) in AGES.into_iter().enumerate() {
        row(&format!("SIGKILL to next step, {age} before"), &|s| s.recovery[index].0.ms());
        row("        bytes of it, of the store", &|s| format!("{}, {}", s.recovery[index].1, s.recovery[index].2));
    }
    row("bytes after one flow of 10,000", &|s| s.sequential_bytes.to_string());
    row("bytes after 2,400 flows of 10", &|s| s.many_bytes.to_string());
    row("bytes after 1,000 flows of one", &|s| s.single_bytes.to_string());
    println!();
    let bar = |met: bool, what: String| println!("{} {what}", if met { "met   " } else { "MISSED" });
    for (name, s) in shown {
        let cost = s.sequential.syncs();
        bar(
            cost <= STEP_SYNCS_MAX,
            format!("{name}: a sequential step in at most {STEP_SYNCS_MAX} fdatasyncs: {cost:.2}"),
        );
        if *name == "Rust" {
            let many = rate(s.many);
            bar(many >= STEPS_MIN, format!("{name}: {STEPS_MIN:.0} steps/s for 200 flows: {many:.0}"));
        }
        let [(young, small, _), (old, large, _)] = s.recovery;
        let factor = old.seconds / young.seconds;
        bar(
            factor <= AGES_FACTOR_MAX,
            format!("{name}: the recovery is the same at both ages: a factor of {factor:.2}"),
        );
        bar(small.abs_diff(large) <= 64, format!("{name}: and so is what is stored: {small} and {large} bytes"));
    }
}

/// How long a piece of work may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);
