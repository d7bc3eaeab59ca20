//! Properties of code points as Python's `str` has them. Where Rust's own tables mean the same (case), those are used; the
//! others are made by `generate.py` from Python's own.

mod tables;

fn within(table: &[(u32, u32)], c: char) -> bool {
    let code = u32::from(c);
    let after = table.partition_point(|(low, _)| *low <= code);
    after > 0 && code <= table[after - 1].1
}

/// Whether `repr` shows it as it is.
pub(crate) fn is_printable(c: char) -> bool {
    !within(&tables::UNPRINTABLE, c)
}

/// `str.isalpha`.
pub(crate) fn is_letter(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { within(&tables::LETTER, c) }
}

/// `str.isdigit`.
pub(crate) fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { within(&tables::DIGIT, c) }
}

/// `str.isalnum`.
pub(crate) fn is_alphanumeric(c: char) -> bool {
    is_letter(c) || is_digit(c) || within(&tables::NUMERIC, c)
}

/// `str.isnumeric`.
pub(crate) fn is_numeric(c: char) -> bool {
    is_digit(c) || within(&tables::NUMERIC, c) || within(&tables::NUMERIC_LETTER, c)
}

/// Whether a name of a program may begin with it.
pub(crate) fn begins_name(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() || c == '_' } else { is_letter(c) != within(&tables::BEGINS_ODDLY, c) }
}

/// Whether a name of a program may go on with it.
pub(crate) fn continues_name(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '_'
    } else {
        begins_name(c) || within(&tables::CONTINUES_ODDLY, c)
    }
}

/// `str.isspace`.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c,
        '\t'..='\r' | '\x1c'..=' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}'
        | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Whether `str.splitlines` ends a line there.
pub(crate) fn ends_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The value of a decimal digit of any script, which `int` and `float` read.
pub(crate) fn decimal(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let code = u32::from(c);
    let after = tables::ZEROS.partition_point(|zero| *zero <= code);
    let offset = code - after.checked_sub(1).map(|at| tables::ZEROS[at])?;
    u8::try_from(offset).ok().filter(|digit| *digit < 10)
}

/// Whether it is a letter in title case, as `ǅ` is.
pub(crate) fn is_title(c: char) -> bool {
    matches!(c,
        '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}'
        | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

/// Whether it has a case.
pub(crate) fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase() || is_title(c)
}

/// Appends its title case.
pub(crate) fn push_title(c: char, out: &mut String) {
    match tables::TITLE.binary_search_by_key(&u32::from(c), |(code, _)| *code) {
        Ok(at) => out.push_str(tables::TITLE[at].1),
        Err(_) => out.extend(c.to_uppercase()),
    }
}

/// Appends what `str.casefold` makes of it.
pub(crate) fn push_folded(c: char, out: &mut String) {
    match tables::FOLDED.binary_search_by_key(&u32::from(c), |(code, _)| *code) {
        Ok(at) => out.push_str(tables::FOLDED[at].1),
        Err(_) => out.extend(c.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_those_of_python() {
        assert!(is_printable('a') && is_printable(' ') && is_printable('é') && is_printable('🎉'));
        assert!(
            !is_printable('\n') && !is_printable('\u{a0}') && !is_printable('\u{200b}') && !is_printable('\u{e000}')
        );
        assert!(is_letter('ß') && is_letter('中') && !is_letter('1') && !is_letter('ⅷ') && !is_letter('\u{301}'));
        assert!(is_digit('٣') && is_digit('²') && !is_digit('½'));
        assert!(is_alphanumeric('½') && is_alphanumeric('ⅷ') && !is_alphanumeric('_'));
        assert_eq!(
            [decimal('7'), decimal('٣'), decimal('²'), decimal('a'), decimal('é')],
            [Some(7), Some(3), None, None, None]
        );
        let mut title = String::new();
        "ßǆaﬁ1".chars().for_each(|c| push_title(c, &mut title));
        assert_eq!(title, "SsǅAFi1");
        assert!(is_title('ǅ') && !is_title('A') && is_cased('ǅ') && is_cased('ª') && !is_cased('中'));
    }

    #[test]
    fn tables_are_in_order() {
        for table in [&tables::UNPRINTABLE[..], &tables::LETTER, &tables::DIGIT, &tables::NUMERIC] {
            assert!(table.iter().all(|(low, high)| low <= high));
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
        assert!(tables::ZEROS.is_sorted() && tables::TITLE.is_sorted());
    }
}
