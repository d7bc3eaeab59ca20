//! Makes a failing program small by trial: lines with all that is indented under them, then parts of lines, each time as long
//! as it still fails. It knows only indentation and tokens, so it serves every oracle.

use crate::mutate::tokens;

/// The smallest program found for which `fails` still holds, within so many trials.
pub fn shrink(source: &str, trials_max: usize, fails: &mut dyn FnMut(&str) -> bool) -> String {
    let mut best = source.to_owned();
    let mut trials = 0;
    loop {
        let before = best.len();
        for pass in [lines, dedent, parts] {
            pass(&mut best, &mut |candidate| {
                trials += 1;
                trials <= trials_max && fails(candidate)
            });
        }
        if best.len() == before || trials > trials_max {
            return best;
        }
    }
}

fn indent(line: &str) -> usize {
    if line.trim().is_empty() { usize::MAX } else { line.len() - line.trim_start().len() }
}

/// The end of the block that begins at a line: the lines that are indented under it.
fn block_end(lines: &[&str], at: usize) -> usize {
    let own = indent(lines[at]);
    let under = lines[at + 1..].iter().take_while(|l| own != usize::MAX && indent(l) > own).count();
    at + 1 + under
}

/// Takes out blocks, runs of lines and single lines, from the end.
fn lines(best: &mut String, fails: &mut dyn FnMut(&str) -> bool) {
    let mut at = best.lines().count();
    while at > 0 {
        at -= 1;
        let text = best.clone();
        let all: Vec<&str> = text.lines().collect();
        if at >= all.len() {
            continue;
        }
        // A decorator goes with its function.
        let whole =
            if all[at].starts_with('@') && at + 1 < all.len() { block_end(&all, at + 1) } else { block_end(&all, at) };
        for end in [whole, at + 1] {
            let candidate: Vec<&str> = all[..at].iter().chain(&all[end..]).copied().collect();
            let candidate = candidate.join("\n") + "\n";
            if fails(&candidate) {
                *best = candidate;
                break;
            }
            // An empty block is `pass`.
            let filled = format!("{}pass", " ".repeat(indent(all[at]).min(40)));
            if all[at].trim() != "pass" {
                let candidate: Vec<&str> =
                    all[..at].iter().copied().chain([filled.as_str()]).chain(all[end..].iter().copied()).collect();
                let candidate = candidate.join("\n") + "\n";
                if candidate.len() < best.len() && fails(&candidate) {
                    *best = candidate;
                    break;
                }
            }
        }
    }
}

/// Puts the content of a block in its place.
fn dedent(best: &mut String, fails: &mut dyn FnMut(&str) -> bool) {
    let mut at = 0;
    while at < best.lines().count() {
        let text = best.clone();
        let all: Vec<&str> = text.lines().collect();
        let end = block_end(&all, at);
        if end > at + 1 && indent(all[at]) > 0 {
            let inner = all[at + 1..end].iter().map(|l| l.strip_prefix("    ").unwrap_or(l));
            let candidate: Vec<&str> =
                all[..at].iter().copied().chain(inner).chain(all[end..].iter().copied()).collect();
            let candidate = candidate.join("\n") + "\n";
            if fails(&candidate) {
                *best = candidate;
                continue;
            }
        }
        at += 1;
    }
}

/// Takes runs of tokens out of lines, long ones first, and puts simple values in the place of others.
fn parts(best: &mut String, fails: &mut dyn FnMut(&str) -> bool) {
    let mut line = 0;
    while line < best.lines().count() {
        let mut len = best.lines().nth(line).map_or(0, |l| tokens(l).len());
        while len > 0 {
            let mut start = 0;
            loop {
                let text = best.clone();
                let all: Vec<&str> = text.lines().collect();
                let Some(current) = all.get(line) else { break };
                let list = tokens(current);
                if start + len > list.len() {
                    break;
                }
                let (before, cut, after) =
                    (list[..start].concat(), list[start..start + len].concat(), list[start + len..].concat());
                let shorter = ["", "0", "1", "v"].into_iter().filter(|r| r.len() < cut.len());
                let mut done = false;
                for replacement in shorter.take(if len == 1 { 1 } else { 3 }) {
                    let new = format!("{before}{replacement}{after}");
                    if new.trim().is_empty() {
                        continue;
                    }
                    let mut candidate = all.clone();
                    candidate[line] = &new;
                    let candidate = candidate.join("\n") + "\n";
                    if fails(&candidate) {
                        *best = candidate;
                        done = true;
                        break;
                    }
                }
                if !done {
                    start += 1;
                }
            }
            len = if len > 16 { len * 3 / 4 } else { len - 1 };
        }
        line += 1;
    }
}
