//! Text from a template that is known here: `"…" % values` and `"…".format(values)`, taken apart like f-strings, so that what
//! they need of the values is checked. The values get their own variables, in the order in which they are written.

use super::body::{Checker, Local};
use super::expr::seq;
use crate::ast::{self, Argument, ExprKind as A, FormatPart, Name};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

/// Values under names that no source has.
struct Values {
    names: Vec<(String, String)>,
    stmts: Vec<Stmt>,
}

impl Checker<'_, '_> {
    /// Gives a value a name that a template can refer to.
    fn bind(&mut self, key: String, value: Expr, values: &mut Values) {
        let name = format!("$value{}", self.vars.len());
        let (ty, span) = (value.ty, value.span);
        let id = self.new_var(None, ty);
        self.names.insert(name.clone(), Local { var: Some(id), span });
        self.assigned.add(id);
        values.stmts.push(Stmt { span, kind: crate::tree::StmtKind::Assign(id, value) });
        values.names.push((key, name));
    }

    fn filled(&mut self, parts: Option<Vec<FormatPart>>, values: Values, span: Span) -> Option<Expr> {
        let text = parts.and_then(|parts| self.format(&parts, span));
        values.names.iter().for_each(|(_, name)| {
            self.names.remove(name);
        });
        Some(seq(values.stmts, text?))
    }

    fn bad_template<T>(&mut self, span: Span, message: impl Into<String>) -> Option<T> {
        self.fail(Code::FormatSpec, span, message)
    }

    /// The text of a template: a literal, or a constant of the module.
    pub fn template_text(&mut self, template: &ast::Expr) -> Option<String> {
        match &template.kind {
            A::Str(text) => Some(text.clone()),
            A::Name(name)
                if !self.names.contains_key(name)
                    && !self.locals.contains(name)
                    && matches!(self.program.globals.get(name), Some(super::Global::Constant(_))) =>
            {
                match self.expr(template, None)?.kind {
                    ExprKind::Str(text) => Some(text),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `template.format(…)`.
    pub fn format_method(&mut self, template: &ast::Expr, arguments: &[Argument], span: Span) -> Option<Expr> {
        let Some(text) = self.template_text(template) else { return self.format_later(template, arguments, span) };
        let mut values = Values { names: Vec::new(), stmts: Vec::new() };
        let mut good = true;
        for (index, argument) in arguments.iter().enumerate() {
            let key = argument.name.as_ref().map_or_else(|| index.to_string(), |name| name.text.clone());
            match self.expr(&argument.value, None) {
                Some(value) => self.bind(key, value, &mut values),
                None => good = false,
            }
        }
        if !good {
            return None;
        }
        let chars: Vec<char> = text.chars().collect();
        let mut reader = Fields { chars: &chars, at: 0, next: 0, names: &values.names, span: template.span };
        let parts = match reader.parts(0) {
            Ok(parts) => Some(parts),
            Err(message) => self.bad_template(template.span, message),
        };
        self.filled(parts, values, span)
    }

    /// `template.format(…)` of a template that is known only when the program runs: its fields are told by then.
    fn format_later(&mut self, template: &ast::Expr, arguments: &[Argument], span: Span) -> Option<Expr> {
        let mut stmts = Vec::new();
        let template = self.expr(template, Some(types::STR))?;
        let template = self.needed(template, types::STR, "a template")?;
        let template = self.keep(template, &mut stmts);
        let text = |text: &str| super::expr::typed(types::STR, span, ExprKind::Str(text.to_owned()));
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (index, argument) in arguments.iter().enumerate() {
            if matches!(argument.value.kind, A::Starred(_) | A::Unsupported(_)) {
                self.expr(&argument.value, None);
                return None;
            }
            names.push(text(&argument.name.as_ref().map_or_else(|| index.to_string(), |name| name.text.clone())));
            let value = self.expr(&argument.value, None)?;
            values.push(self.keep(value, &mut stmts));
        }
        let list = self.program.types.intern(Type::List(types::STR));
        let names = super::expr::op(Op::ListNew, names, list, span);
        let fields = self.syntax("template_fields", vec![template, names], span)?;
        let fields = self.keep(fields, &mut stmts);
        let parts = super::expr::op(Op::ListNew, Vec::new(), list, span);
        let parts = self.keep(parts, &mut stmts);
        let (position, _) = self.hidden(types::INT, span);
        let argument = |value| Argument { name: None, value };
        let number = |value| argument(ast::Expr { span, kind: A::Int(value) });
        let length = self.length_of(fields.clone())?;
        let length = self.hide(length, &mut stmts);
        let range = Box::new(ast::Expr { span, kind: A::Name("range".to_owned()) });
        let range = ast::Expr { span, kind: A::Call(range, vec![number(0), argument(length), number(4)]) };
        let lp = self.each(&position, &range, span, &mut stmts, |checker| {
            let at = checker.expr(&position, None)?;
            let part = |offset: i64| {
                let index = super::expr::int(offset, span);
                let index = super::expr::op(Op::Iadd, vec![at.clone(), index], types::INT, span);
                super::expr::op(Op::ListGet, vec![fields.clone(), index], types::STR, span)
            };
            let push = |value: Expr| {
                let push = super::expr::op(Op::ListPush, vec![parts.clone(), value], types::NONE, span);
                Stmt { span, kind: StmtKind::Do(push) }
            };
            let is = |part: Expr, wanted: &str| super::expr::op(Op::Eq, vec![part, text(wanted)], types::BOOL, span);
            let mut chosen = Vec::new();
            for (index, value) in values.iter().enumerate().rev() {
                let mut shown = vec![push(checker.formatted_later(value.clone(), part(3), span)?)];
                for conversion in ["a", "r", "s"] {
                    let converted = match conversion {
                        "s" => checker.text_of(value.clone())?,
                        "r" => checker.repr_of(value.clone())?,
                        _ => checker.called("ascii", vec![value.clone()], span)?,
                    };
                    let converted = checker.called("format", vec![converted, part(3)], span)?;
                    let test = is(part(2), conversion);
                    shown = vec![Stmt { span, kind: StmtKind::If(test, vec![push(converted)], shown) }];
                }
                let test = is(part(1), &index.to_string());
                chosen = vec![Stmt { span, kind: StmtKind::If(test, shown, chosen) }];
            }
            chosen.insert(0, push(part(0)));
            Some(chosen)
        })?;
        stmts.push(lp);
        let joined = self.syntax("str_join", vec![text(""), parts], span)?;
        Some(seq(stmts, joined))
    }

    /// A value as a format says that is known only when the program runs.
    fn formatted_later(&mut self, value: Expr, spec: Expr, span: Span) -> Option<Expr> {
        if self.is_union(value.ty) {
            let what = "a format";
            return self.for_each_member(value, span, what, |c, v| c.formatted_later(v, spec.clone(), span));
        }
        let value = self.unmixed(value);
        if let Type::Int | Type::Float | Type::Bool | Type::Str = self.program.types.get(value.ty) {
            return self.called("format", vec![value, spec], span);
        }
        let shown = self.name(value.ty);
        let shown = shown.split('[').next().unwrap_or("").to_owned();
        let message = format!("TypeError: unsupported format string passed to {shown}.__format__");
        let message = super::expr::typed(types::STR, span, ExprKind::Str(message));
        let fail = Stmt { span, kind: StmtKind::Fail(deepslate_ir::trap::TrapKind::Raised, message) };
        let none = super::expr::typed(types::STR, span, ExprKind::Str(String::new()));
        let empty = super::expr::op(Op::Eq, vec![spec, none], types::BOOL, span);
        let text = self.text_of(value)?;
        Some(seq(vec![Stmt { span, kind: StmtKind::If(empty, Vec::new(), vec![fail]) }], text))
    }

    /// `template % values`.
    pub fn percent(&mut self, template: &str, values: &ast::Expr, whole: Span, span: Span) -> Option<Expr> {
        let chars: Vec<char> = template.chars().collect();
        let pieces = match percent_pieces(&chars) {
            Ok(pieces) => pieces,
            Err(message) => {
                self.expr(values, None);
                return self.bad_template(whole, message);
            }
        };
        let by_name = pieces.iter().any(|p| matches!(p, Percent::Value { key: Some(_), .. }));
        let mut bound = Values { names: Vec::new(), stmts: Vec::new() };
        if !self.percent_values(values, by_name, &mut bound)? {
            return None;
        }
        let wanted = pieces.iter().filter(|p| matches!(p, Percent::Value { .. })).count();
        if !by_name && wanted != bound.names.len() {
            let message = format!("this template takes {wanted} values, and {} are given", bound.names.len());
            return self.bad_template(whole, message);
        }
        let mut parts = Vec::new();
        let mut next = 0;
        for piece in pieces {
            let (key, kind, flags, width, precision) = match piece {
                Percent::Text(text) => {
                    parts.push(FormatPart::Text(text));
                    continue;
                }
                Percent::Value { key, kind, flags, width, precision } => (key, kind, flags, width, precision),
            };
            let found = match &key {
                Some(key) => bound.names.iter().find(|(k, _)| k == key).map(|(_, name)| name.clone()),
                None => bound.names.get(next).map(|(_, name)| name.clone()),
            };
            next += 1;
            let Some(name) = found else {
                let message = format!("the values have no key {:?}", key.unwrap_or_default());
                return self.bad_template(whole, message);
            };
            let ty = self.names.get(&name).and_then(|l| l.var).map_or(types::NONE, |v| self.vars[v.0 as usize].ty);
            let value = ast::Expr { span: values.span, kind: A::Name(name) };
            let number = matches!(ty, types::INT | types::FLOAT | types::BOOL);
            let (value, conversion, kind) = match kind {
                's' => (value, Some('s'), None),
                'r' | 'a' => (value, Some(kind), None),
                'c' if ty == types::STR => (value, Some('s'), None),
                'c' if ty == types::INT => (value, None, Some('c')),
                'd' | 'i' | 'u' if ty == types::FLOAT => {
                    let of = Box::new(ast::Expr { span: values.span, kind: A::Name("int".to_owned()) });
                    let call = A::Call(of, vec![Argument { name: None, value }]);
                    (ast::Expr { span: values.span, kind: call }, None, Some('d'))
                }
                'd' | 'i' | 'u' if number => (value, None, Some('d')),
                'x' | 'X' | 'o' if matches!(ty, types::INT | types::BOOL) => (value, None, Some(kind)),
                'f' | 'F' | 'e' | 'E' | 'g' | 'G' if number => (value, None, Some(kind)),
                _ => {
                    let message = format!("%{kind} does not take {}", self.name(ty));
                    return self.bad_template(whole, message);
                }
            };
            let mut spec = String::new();
            let text = kind.is_none() || kind == Some('c');
            if precision.is_some() && matches!(kind, Some('d' | 'x' | 'X' | 'o')) {
                let message = "not supported yet: a precision for integers; a width with 0 in front pads with zeros";
                return self.fail(Code::NotYet, whole, message);
            }
            if flags.contains('-') {
                spec.push('<');
            } else if width.is_some() && text {
                spec.push('>');
            }
            if !text {
                if flags.contains('+') {
                    spec.push('+');
                } else if flags.contains(' ') {
                    spec.push(' ');
                }
                if flags.contains('#') {
                    spec.push('#');
                }
                if flags.contains('0') && !flags.contains('-') {
                    spec.push('0');
                }
            }
            if let Some(width) = width {
                spec.push_str(&width.to_string());
            }
            if let Some(precision) = precision {
                spec.push_str(&format!(".{precision}"));
            }
            spec.extend(kind);
            let spec = if spec.is_empty() { Vec::new() } else { vec![FormatPart::Text(spec)] };
            parts.push(FormatPart::Value { value, conversion, spec });
        }
        self.filled(Some(parts), bound, span)
    }

    /// `template % values` of bytes: each value as text, in ASCII, or bytes as they are.
    pub fn percent_bytes(&mut self, template: &[u8], values: &ast::Expr, whole: Span, span: Span) -> Option<Expr> {
        let chars: Vec<char> = template.iter().copied().map(char::from).collect();
        let pieces = match percent_pieces(&chars) {
            Ok(pieces) => pieces,
            Err(message) => {
                self.expr(values, None);
                return self.bad_template(whole, message);
            }
        };
        if pieces.iter().any(|p| matches!(p, Percent::Value { key: Some(_), .. })) {
            self.expr(values, None);
            return self.bad_template(whole, "a template of bytes takes its values by position");
        }
        let mut bound = Values { names: Vec::new(), stmts: Vec::new() };
        if !self.percent_values(values, false, &mut bound)? {
            return None;
        }
        let wanted = pieces.iter().filter(|p| matches!(p, Percent::Value { .. })).count();
        if wanted != bound.names.len() {
            let message = format!("this template takes {wanted} values, and {} are given", bound.names.len());
            return self.bad_template(whole, message);
        }
        let mut all = Vec::new();
        let mut names = bound.names.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>().into_iter();
        for piece in pieces {
            let Percent::Value { kind, flags, width, precision, .. } = piece else {
                let Percent::Text(text) = piece else { continue };
                let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
                all.push(super::expr::typed(types::BYTES, span, ExprKind::Bytes(bytes)));
                continue;
            };
            let value = ast::Expr { span: values.span, kind: A::Name(names.next()?) };
            if matches!(kind, 's' | 'b') {
                let part = self.expr(&value, None)?;
                if part.ty != types::BYTES || width.is_some() || precision.is_some() {
                    let message =
                        format!("%{kind} of bytes takes bytes, without a width, and not {}", self.name(part.ty));
                    return self.bad_template(whole, message);
                }
                all.push(part);
                continue;
            }
            // What is text of one value is ASCII: a number, or what `ascii` gives.
            let kind = if kind == 'r' { 'a' } else { kind };
            let width = width.map(|w| w.to_string()).unwrap_or_default();
            let precision = precision.map(|p| format!(".{p}")).unwrap_or_default();
            let one = format!("%{flags}{width}{precision}{kind}");
            let alone = ast::Expr { span: values.span, kind: A::Tuple(vec![value]) };
            let text = self.percent(&one, &alone, whole, span)?;
            all.push(self.syntax("str_encode", vec![text], span)?);
        }
        bound.names.iter().for_each(|(_, name)| {
            self.names.remove(name);
        });
        let list = self.program.types.intern(Type::List(types::BYTES));
        let list = super::expr::op(deepslate_ir::ops::Op::ListNew, all, list, span);
        let nothing = super::expr::typed(types::BYTES, span, ExprKind::Bytes(Vec::new()));
        let joined = self.syntax("bytes_join", vec![nothing, list], span)?;
        Some(seq(bound.stmts, joined))
    }

    /// Binds what stands behind `%`; false where something in it has a mistake.
    fn percent_values(&mut self, values: &ast::Expr, by_name: bool, bound: &mut Values) -> Option<bool> {
        match &values.kind {
            A::Tuple(parts) if !by_name => {
                for (index, part) in parts.iter().enumerate() {
                    let value = self.expr(part, None)?;
                    self.bind(index.to_string(), value, bound);
                }
            }
            A::Dict(entries) if by_name => {
                for (key, value) in entries {
                    let Some(A::Str(key)) = key.as_ref().map(|k| &k.kind) else {
                        return self.bad_template(values.span, "the keys of these values must be text literals");
                    };
                    let value = self.expr(value, None)?;
                    self.bind(key.clone(), value, bound);
                }
            }
            _ => {
                let value = self.expr(values, None)?;
                match self.program.types.get(value.ty).clone() {
                    Type::Tuple(slots) if !by_name => {
                        let parts = self.parts_of(value, &slots, &mut bound.stmts);
                        for (index, part) in parts.into_iter().enumerate() {
                            self.bind(index.to_string(), part, bound);
                        }
                    }
                    _ if by_name => {
                        let message = "a template with names takes a dict that is written here";
                        let report = Diagnostic::error(Code::Unsupported, value.span, message);
                        self.report(report.help("\"%(name)s\" % {\"name\": value}, or an f-string"));
                        return None;
                    }
                    _ => self.bind("0".to_owned(), value, bound),
                }
            }
        }
        Some(true)
    }
}

/// A piece of a template of `%`.
enum Percent {
    Text(String),
    Value { key: Option<String>, kind: char, flags: String, width: Option<u32>, precision: Option<u32> },
}

fn percent_pieces(chars: &[char]) -> Result<Vec<Percent>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut key = None;
        if chars.get(at) == Some(&'(') {
            let end = chars[at..].iter().position(|c| *c == ')').ok_or("a `%(` is not closed")?;
            key = Some(chars[at + 1..at + end].iter().collect());
            at += end + 1;
        }
        let flags: String = chars[at.min(chars.len())..].iter().take_while(|c| "-+ #0".contains(**c)).collect();
        at += flags.len();
        let number = |at: &mut usize| -> Result<Option<u32>, String> {
            let digits: String = chars[(*at).min(chars.len())..].iter().take_while(|c| c.is_ascii_digit()).collect();
            *at += digits.len();
            match digits.is_empty() {
                true => Ok(None),
                false => digits.parse().map(Some).map_err(|_| format!("{digits} is too large a width")),
            }
        };
        if chars.get(at) == Some(&'*') {
            return Err(
                "not supported yet: a width from the values (`*`); use an f-string: f\"{value:{width}}\"".into()
            );
        }
        let width = number(&mut at)?;
        let mut precision = None;
        if chars.get(at) == Some(&'.') {
            at += 1;
            precision = Some(number(&mut at)?.unwrap_or(0));
        }
        let kind = *chars.get(at).ok_or("the template ends inside of a `%`")?;
        at += 1;
        match kind {
            '%' => text.push('%'),
            's' | 'b' | 'r' | 'a' | 'c' | 'd' | 'i' | 'u' | 'x' | 'X' | 'o' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                if !text.is_empty() {
                    pieces.push(Percent::Text(std::mem::take(&mut text)));
                }
                pieces.push(Percent::Value { key, kind, flags, width, precision });
            }
            other => return Err(format!("`%{other}` is no format")),
        }
    }
    if !text.is_empty() {
        pieces.push(Percent::Text(text));
    }
    let named = |p: &Percent| match p {
        Percent::Value { key, .. } => Some(key.is_some()),
        Percent::Text(_) => None,
    };
    let mut kinds = pieces.iter().filter_map(named);
    let first = kinds.next();
    if kinds.any(|k| Some(k) != first) {
        return Err("values with and without names can't be mixed".into());
    }
    Ok(pieces)
}

/// Reads the template of `str.format`.
struct Fields<'a> {
    chars: &'a [char],
    at: usize,
    /// The number of the next `{}`; `usize::MAX` once fields have numbers of their own.
    next: usize,
    names: &'a [(String, String)],
    span: Span,
}

impl Fields<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Text and fields; inside of a field (depth 1) up to its closing brace.
    fn parts(&mut self, depth: u32) -> Result<Vec<FormatPart>, String> {
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if depth > 0 && c == '}' {
                break;
            }
            self.at += 1;
            match c {
                '{' | '}' if self.peek() == Some(c) && depth == 0 => {
                    self.at += 1;
                    text.push(c);
                }
                '{' if depth > 1 => return Err("fields are nested too deeply in this template".into()),
                '{' => {
                    if !text.is_empty() {
                        parts.push(FormatPart::Text(std::mem::take(&mut text)));
                    }
                    parts.push(self.field(depth)?);
                }
                '}' => return Err("a single `}` stands in this template; `}}` writes one".into()),
                _ => text.push(c),
            }
        }
        if !text.is_empty() {
            parts.push(FormatPart::Text(text));
        }
        Ok(parts)
    }

    fn word(&mut self, ends: &str) -> String {
        let word: String = self.chars[self.at..].iter().take_while(|c| !ends.contains(**c)).collect();
        self.at += word.chars().count();
        word
    }

    fn field(&mut self, depth: u32) -> Result<FormatPart, String> {
        let span = self.span;
        let mut name = self.word(".[!:{}");
        if name.is_empty() {
            if self.next == usize::MAX {
                return Err("fields with and without numbers can't be mixed".into());
            }
            name = self.next.to_string();
            self.next += 1;
        } else if name.bytes().all(|b| b.is_ascii_digit()) {
            if self.next != 0 && self.next != usize::MAX {
                return Err("fields with and without numbers can't be mixed".into());
            }
            self.next = usize::MAX;
        }
        let Some((_, bound)) = self.names.iter().find(|(key, _)| *key == name) else {
            return Err(format!("this template needs a value `{name}`, which is not given"));
        };
        let mut value = ast::Expr { span, kind: A::Name(bound.clone()) };
        loop {
            match self.peek() {
                Some('.') => {
                    self.at += 1;
                    let text = self.word(".[!:{}");
                    value = ast::Expr { span, kind: A::Attribute(Box::new(value), Name { text, span }) };
                }
                Some('[') => {
                    self.at += 1;
                    let text = self.word("]");
                    self.at += 1;
                    let key = match text.parse::<u32>() {
                        Ok(index) => A::Int(index.into()),
                        Err(_) => A::Str(text),
                    };
                    let key = ast::Expr { span, kind: key };
                    value = ast::Expr { span, kind: A::Index(Box::new(value), Box::new(key)) };
                }
                _ => break,
            }
        }
        let mut conversion = None;
        if self.peek() == Some('!') {
            self.at += 1;
            conversion = self.peek();
            self.at += 1;
            if !matches!(conversion, Some('r' | 's' | 'a')) {
                return Err("after `!` stands r, s or a".into());
            }
        }
        let mut spec = Vec::new();
        if self.peek() == Some(':') {
            self.at += 1;
            spec = self.parts(depth + 1)?;
        }
        if self.peek() != Some('}') {
            return Err("a `{` is not closed in this template; `{{` writes one".into());
        }
        self.at += 1;
        Ok(FormatPart::Value { value, conversion, spec })
    }
}
