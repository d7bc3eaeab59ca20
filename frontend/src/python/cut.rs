//! Cuts a Python text into its top-level statements without parsing it, so that one that can't be read spoils only what
//! uses it. It knows strings, brackets, comments, continued lines and indentation, and nothing else of the language.

/// A top-level statement (with its decorators), as a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub start: usize,
    pub end: usize,
}

/// The state of reading at the start of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    /// A triple-quoted string, by its quote.
    Text(u8),
}

/// The pieces of `text[start..end]`; `start` must be the start of a line. The indentation of the first statement is that
/// of all of them.
pub(super) fn pieces(text: &str, start: usize, end: usize) -> Vec<Piece> {
    let bytes = text.as_bytes();
    let mut out: Vec<Piece> = Vec::new();
    let mut at = start;
    let mut base = None;
    let mut decorated = false;
    while at < end {
        let from = at;
        at = logical_line(bytes, at, end);
        let line = &text[from..at];
        let trimmed = line.trim_start_matches([' ', '\t', '\u{c}']);
        if trimmed.trim().is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let indent = line.len() - trimmed.len();
        let base = *base.get_or_insert(indent);
        let goes_on = indent > base || continues(trimmed) || decorated;
        decorated = indent <= base && trimmed.starts_with('@');
        match out.last_mut() {
            Some(last) if goes_on => last.end = at,
            _ => out.push(Piece { start: from, end: at }),
        }
    }
    out
}

/// Where a piece that can't be read may be cut once more: the start of the next line in it that looks like the beginning
/// of a definition, since an unclosed bracket or string swallows all that follows.
pub(super) fn resume(text: &str, piece: Piece) -> Option<usize> {
    let mut headed = false;
    let mut at = piece.start;
    for line in text[piece.start..piece.end].split_inclusive('\n') {
        let begins = ["def ", "async def ", "class ", "@", "import ", "from ", "if __name__"];
        if begins.iter().any(|b| line.starts_with(b)) {
            if headed {
                return Some(at);
            }
            headed = !line.starts_with('@');
        } else if !line.trim().is_empty() {
            headed = true;
        }
        at += line.len();
    }
    None
}

/// The byte after the colon that ends the header of the definition in a piece.
pub(super) fn header(text: &str, piece: Piece) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = piece.start;
    while at < piece.end {
        let trimmed = text[at..piece.end].trim_start();
        if trimmed.starts_with("def ") || trimmed.starts_with("async ") {
            break;
        }
        if !trimmed.starts_with('@') && !trimmed.starts_with('#') {
            return None;
        }
        at = logical_line(bytes, at, piece.end);
    }
    let mut depth = 0usize;
    while at < piece.end {
        match bytes[at] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' => {
                at = line_end(bytes, at, piece.end);
                continue;
            }
            b'"' | b'\'' => {
                at = string_end(bytes, at, piece.end);
                continue;
            }
            b':' if depth == 0 => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

fn continues(line: &str) -> bool {
    let word: &str = line.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    matches!(word, "elif" | "else" | "except" | "finally") || line.starts_with([')', ']', '}'])
}

/// The start of the line after the logical line that starts at `at`.
fn logical_line(bytes: &[u8], mut at: usize, end: usize) -> usize {
    let mut depth = 0usize;
    let mut inside = Inside::Code;
    while at < end {
        match inside {
            Inside::Text(quote) => {
                if bytes[at] == b'\\' {
                    at += 1;
                } else if bytes[at..end].starts_with(&[quote; 3]) {
                    at += 2;
                    inside = Inside::Code;
                }
            }
            Inside::Code => match bytes[at] {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'#' => {
                    at = line_end(bytes, at, end);
                    continue;
                }
                b'\\' => at += 1,
                b'\n' if depth == 0 => return at + 1,
                quote @ (b'"' | b'\'') => {
                    if bytes[at..end].starts_with(&[quote; 3]) {
                        at += 2;
                        inside = Inside::Text(quote);
                    } else {
                        at = string_end(bytes, at, end);
                        continue;
                    }
                }
                _ => {}
            },
        }
        at += 1;
    }
    end
}

/// The byte after the string that starts at `at`; a simple one ends at the end of its line at the latest.
fn string_end(bytes: &[u8], at: usize, end: usize) -> usize {
    let quote = bytes[at];
    let triple = bytes[at..end].starts_with(&[quote; 3]);
    let mut at = at + if triple { 3 } else { 1 };
    while at < end {
        match bytes[at] {
            b'\\' => at += 1,
            b'\n' if !triple => return at,
            b if b == quote && !triple => return at + 1,
            b if b == quote && bytes[at..end].starts_with(&[quote; 3]) => return at + 3,
            _ => {}
        }
        at += 1;
    }
    end
}

fn line_end(bytes: &[u8], at: usize, end: usize) -> usize {
    bytes[at..end].iter().position(|b| *b == b'\n').map_or(end, |n| at + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text, 0, text.len()).iter().map(|p| &text[p.start..p.end]).collect()
    }

    #[test]
    fn statements_keep_their_decorators_bodies_and_clauses() {
        let text = "import a\n\n@flow\n# note\nasync def f(\n  x,\n):\n    return 1\n\n    # more\n    pass\nif x:\n    a\nelse:\n    b\n";
        assert_eq!(
            cut(text),
            [
                "import a\n",
                "@flow\n# note\nasync def f(\n  x,\n):\n    return 1\n\n    # more\n    pass\n",
                "if x:\n    a\nelse:\n    b\n"
            ]
        );
    }

    #[test]
    fn strings_and_brackets_hide_line_ends() {
        let text = "a = '''\ndef f():\n'''\nb = [\n1,\n]\nc = 'it\\'s # no'\nd = 1 \\\n+ 2\n";
        assert_eq!(cut(text), ["a = '''\ndef f():\n'''\n", "b = [\n1,\n]\n", "c = 'it\\'s # no'\n", "d = 1 \\\n+ 2\n"]);
    }

    #[test]
    fn an_unclosed_bracket_is_cut_at_the_next_definition() {
        let text = "x = foo(\n\ndef f():\n    pass\n";
        let all = pieces(text, 0, text.len());
        assert_eq!(all.len(), 1);
        assert_eq!(resume(text, all[0]), Some(10));
    }

    #[test]
    fn a_header_ends_at_its_colon() {
        let text = "@impure\ndef f(a: dict[str, int] = {1: 2}, b=\":\") -> int:\n    print $\n";
        let all = pieces(text, 0, text.len());
        let end = header(text, all[0]).expect("a header");
        assert!(text[..end].ends_with("-> int:"));
    }
}
