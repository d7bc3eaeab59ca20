//! Stack traces as people read them: a recursion that went a thousand calls deep is a few lines, not a thousand equal ones.

use std::fmt;

/// One line of a flow's own stack trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceLine {
    /// The function's name.
    pub func: String,
    /// The file as the user named it; empty where no source stands for the code.
    pub file: String,
    /// Counted from 1; 0 means nowhere.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {}", self.func)?;
        if self.line > 0 {
            write!(f, " at {}:{}:{}", self.file, self.line, self.column)?;
        }
        Ok(())
    }
}

/// Lines of a trace that come again and again and are there once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repeat {
    /// The index of the last of these lines.
    pub last: usize,
    /// How many lines they are.
    pub lines: usize,
    /// How many times more they come.
    pub times: u64,
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines {
            1 => write!(f, "… the same {} times more", self.times),
            lines => write!(f, "… these {lines} lines {} times more", self.times),
        }
    }
}

/// The longest cycle of functions that is looked for.
const CYCLE: usize = 8;

/// Folds lines that repeat, alone or as a cycle of a few, so that they are there once. Lines that fold away nothing stay.
pub fn fold(trace: Vec<TraceLine>) -> (Vec<TraceLine>, Vec<Repeat>) {
    let mut folded = Vec::new();
    let mut repeats = Vec::new();
    let mut at = 0;
    while at < trace.len() {
        let rest = &trace[at..];
        let again =
            |lines: usize| rest.chunks_exact(lines).skip(1).take_while(|chunk| *chunk == &rest[..lines]).count();
        // The shortest cycle that saves a line; a longer one would only be the same several times over.
        let cycle =
            (1..=CYCLE.min(rest.len())).map(|lines| (lines, again(lines))).find(|(lines, times)| lines * times > 1);
        let (lines, times) = cycle.unwrap_or((1, 0));
        folded.extend_from_slice(&rest[..lines]);
        if times > 0 {
            repeats.push(Repeat { last: folded.len() - 1, lines, times: times as u64 });
        }
        at += lines * (times + 1);
    }
    (folded, repeats)
}

/// Writes a folded trace, a line each, each after a line break and `indent`.
pub fn write(f: &mut impl fmt::Write, trace: &[TraceLine], repeats: &[Repeat], indent: &str) -> fmt::Result {
    for (at, line) in trace.iter().enumerate() {
        write!(f, "\n{indent}{line}")?;
        for repeat in repeats.iter().filter(|repeat| repeat.last == at) {
            write!(f, "\n{indent}{repeat}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[u32]) -> String {
        let line = |line: &u32| TraceLine { func: format!("f{line}"), file: "a.py".into(), line: *line, column: 1 };
        let (trace, repeats) = fold(lines.iter().map(line).collect());
        let mut out = String::new();
        write(&mut out, &trace, &repeats, " ").unwrap();
        out.lines()
            .map(|line| line.trim().trim_start_matches("in ").split(' ').collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join("|")
    }

    #[test]
    fn what_repeats_is_there_once() {
        let mut deep = vec![3];
        deep.extend([4; 199]);
        deep.push(9);
        assert_eq!(shown(&deep), "|f3 at a.py:3:1|f4 at a.py:4:1|… the same 198 times more|f9 at a.py:9:1");
        let mutual: Vec<_> = [1, 2].into_iter().cycle().take(100).chain([1, 7]).collect();
        assert_eq!(
            shown(&mutual),
            "|f1 at a.py:1:1|f2 at a.py:2:1|… these 2 lines 49 times more|f1 at a.py:1:1|f7 at a.py:7:1"
        );
        // Folding two lines into two saves nothing.
        assert_eq!(shown(&[1, 1, 2]), "|f1 at a.py:1:1|f1 at a.py:1:1|f2 at a.py:2:1");
        assert_eq!(shown(&[]), "");
    }
}
