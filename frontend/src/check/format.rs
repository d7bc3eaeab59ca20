//! F-strings: their parts as text, one after the other.

use super::body::Checker;
use super::expr::typed;
use crate::ast::{self, FormatPart};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Expr, ExprKind};
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

/// Up to so many texts are put together two by two, more of them at once.
const FEW: usize = 4;

impl Checker<'_, '_> {
    /// The text that an f-string makes.
    pub fn format(&mut self, parts: &[FormatPart], span: Span) -> Option<Expr> {
        let mut texts: Vec<Option<Expr>> = Vec::new();
        for part in parts {
            texts.push(match part {
                FormatPart::Text(text) => Some(typed(types::STR, span, ExprKind::Str(text.clone()))),
                FormatPart::Value { value, conversion, spec } => self.formatted(value, *conversion, spec),
            });
        }
        let texts = texts.into_iter().collect::<Option<Vec<_>>>()?;
        self.joined(texts, "", span)
    }

    /// Texts, one after the other with a separator between them.
    pub fn joined(&mut self, texts: Vec<Expr>, separator: &str, span: Span) -> Option<Expr> {
        let literal = |text: &str| typed(types::STR, span, ExprKind::Str(text.to_owned()));
        if texts.len() > FEW {
            let list = self.program.types.intern(Type::List(types::STR));
            let all = super::expr::op(Op::ListNew, texts, list, span);
            return self.syntax("str_join", vec![literal(separator), all], span);
        }
        let mut texts = texts.into_iter();
        let Some(mut whole) = texts.next() else { return Some(literal("")) };
        for text in texts {
            if !separator.is_empty() {
                whole = self.syntax("str_concat", vec![whole, literal(separator)], span)?;
            }
            whole = self.syntax("str_concat", vec![whole, text], span)?;
        }
        Some(whole)
    }

    fn formatted(&mut self, value: &ast::Expr, conversion: Option<char>, spec: &[FormatPart]) -> Option<Expr> {
        let span = value.span;
        let checked = self.expr(value, None);
        let spec = if spec.is_empty() { None } else { Some(self.format(spec, span)?) };
        let checked = checked?;
        let converted = match conversion {
            None => checked,
            Some('s') => self.text_of(checked)?,
            Some('r') => self.repr_of(checked)?,
            Some('a') => self.called("ascii", vec![checked], span)?,
            Some(other) => {
                return self.fail(Code::NotYet, span, format!("not supported yet: `!{other}` in an f-string"));
            }
        };
        match spec {
            None => self.text_of(converted),
            Some(spec) => {
                let mut stmts = Vec::new();
                let (converted, spec) = match self.is_union(converted.ty) {
                    true => (self.keep(converted, &mut stmts), self.keep(spec, &mut stmts)),
                    false => (converted, spec),
                };
                let text = self.formatted_by(converted, spec, span)?;
                Some(super::expr::seq(stmts, text))
            }
        }
    }

    fn formatted_by(&mut self, value: Expr, spec: Expr, span: Span) -> Option<Expr> {
        if self.is_union(value.ty) {
            let what = "a format after `:`";
            return self.for_each_member(value, span, what, |c, v| c.formatted_by(v, spec.clone(), span));
        }
        let value = self.unmixed(value);
        match self.program.types.get(value.ty) {
            Type::Int | Type::Float | Type::Bool | Type::Str => self.called("format", vec![value, spec], span),
            _ => {
                let message = format!("{} takes no format after `:`", self.name(value.ty));
                let report = Diagnostic::error(Code::FormatSpec, span, message);
                self.report(report.help("make text of it first: {value!s:>10}"));
                None
            }
        }
    }
}
