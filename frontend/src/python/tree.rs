//! From the parser's tree to ours. Nothing is judged here: what our tree has no node for becomes `Unsupported` with its
//! name, and the checker says so where it is used.

use crate::ast::*;
use crate::source::Span;
use rustpython_parser::ast as py;
use rustpython_parser::ast::Ranged;
use rustpython_parser::text_size::TextRange;

/// Converts nodes of one parsed text.
pub(super) struct Converter<'a> {
    /// What was parsed: the parser's tree has no places of the names of definitions.
    pub text: &'a str,
    /// The source that the text is part of.
    pub file: u32,
    /// What is added to positions in the text to get positions in the source.
    pub base: i64,
    /// One span for everything instead.
    pub fixed: Option<Span>,
}

impl Converter<'_> {
    fn span(&self, range: TextRange) -> Span {
        if let Some(span) = self.fixed {
            return span;
        }
        let shift = |at: u32| u32::try_from((i64::from(at) + self.base).max(0)).unwrap_or(u32::MAX);
        Span { file: self.file, start: shift(range.start().into()), end: shift(range.end().into()) }
    }

    /// Statements.
    pub fn body(&self, stmts: &[py::Stmt]) -> Vec<Stmt> {
        stmts.iter().map(|s| self.stmt(s)).collect()
    }

    fn stmt(&self, stmt: &py::Stmt) -> Stmt {
        let span = self.span(stmt.range());
        let kind = match stmt {
            py::Stmt::FunctionDef(f) => StmtKind::Function(Box::new(self.function(
                f.range,
                &f.name,
                false,
                (&f.args, &f.returns, &f.decorator_list, &f.type_params, &f.body),
            ))),
            py::Stmt::AsyncFunctionDef(f) => StmtKind::Function(Box::new(self.function(
                f.range,
                &f.name,
                true,
                (&f.args, &f.returns, &f.decorator_list, &f.type_params, &f.body),
            ))),
            py::Stmt::ClassDef(c) => StmtKind::Class(Box::new(Class {
                name: self.defined("class", c.range, &c.decorator_list, &c.name),
                decorators: self.exprs(&c.decorator_list),
                bases: c.bases.iter().chain(c.keywords.iter().map(|k| &k.value)).map(|e| self.expr(e)).collect(),
                body: self.body(&c.body),
                span,
            })),
            py::Stmt::Return(s) => StmtKind::Return(s.value.as_ref().map(|e| self.expr(e))),
            py::Stmt::Delete(s) => StmtKind::Delete(self.exprs(&s.targets)),
            py::Stmt::Assign(s) => StmtKind::Assign(self.exprs(&s.targets), self.expr(&s.value)),
            py::Stmt::AugAssign(s) => StmtKind::Augment(self.expr(&s.target), binary_op(s.op), self.expr(&s.value)),
            py::Stmt::AnnAssign(s) => StmtKind::Declare {
                target: self.expr(&s.target),
                annotation: self.expr(&s.annotation),
                value: s.value.as_ref().map(|e| self.expr(e)),
            },
            py::Stmt::For(s) => StmtKind::For {
                is_async: false,
                target: self.expr(&s.target),
                iterable: self.expr(&s.iter),
                body: self.body(&s.body),
                otherwise: self.body(&s.orelse),
            },
            py::Stmt::While(s) => StmtKind::While(self.expr(&s.test), self.body(&s.body), self.body(&s.orelse)),
            py::Stmt::If(s) => StmtKind::If(self.expr(&s.test), self.body(&s.body), self.body(&s.orelse)),
            py::Stmt::Match(s) => {
                StmtKind::Match(self.expr(&s.subject), s.cases.iter().map(|c| self.case(c)).collect())
            }
            py::Stmt::Raise(s) => StmtKind::Raise(s.exc.as_ref().map(|e| self.expr(e))),
            py::Stmt::Assert(s) => StmtKind::Assert(self.expr(&s.test), s.msg.as_ref().map(|e| self.expr(e))),
            py::Stmt::Import(s) => StmtKind::Import(
                s.names
                    .iter()
                    .map(|a| {
                        let top = a.name.split('.').next().unwrap_or("");
                        Import {
                            module: if a.asname.is_some() { a.name.to_string() } else { top.to_owned() },
                            member: None,
                            binds: a.asname.as_ref().map_or(top.to_owned(), ToString::to_string),
                            span: self.span(a.range),
                        }
                    })
                    .collect(),
            ),
            py::Stmt::ImportFrom(s) => {
                let dots = ".".repeat(s.level.as_ref().map_or(0, py::Int::to_usize).min(64));
                let module = format!("{dots}{}", s.module.as_ref().map_or("", |m| m.as_str()));
                let import = |a: &py::Alias| Import {
                    module: module.clone(),
                    member: Some(a.name.to_string()),
                    binds: a.asname.as_ref().unwrap_or(&a.name).to_string(),
                    span: self.span(a.range),
                };
                StmtKind::Import(s.names.iter().map(import).collect())
            }
            py::Stmt::Expr(s) => StmtKind::Expr(self.expr(&s.value)),
            py::Stmt::Pass(_) => StmtKind::Pass,
            py::Stmt::Break(_) => StmtKind::Break,
            py::Stmt::Continue(_) => StmtKind::Continue,
            py::Stmt::TypeAlias(s) => match (&*s.name, s.type_params.as_slice()) {
                (py::Expr::Name(n), []) => {
                    let name = Name { text: n.id.to_string(), span: self.span(n.range) };
                    StmtKind::TypeAlias(name, self.expr(&s.value))
                }
                _ => StmtKind::Unsupported("a generic type alias"),
            },
            py::Stmt::AsyncFor(s) => StmtKind::For {
                is_async: true,
                target: self.expr(&s.target),
                iterable: self.expr(&s.iter),
                body: self.body(&s.body),
                otherwise: self.body(&s.orelse),
            },
            py::Stmt::With(_) => StmtKind::Unsupported("with"),
            py::Stmt::AsyncWith(_) => StmtKind::Unsupported("async with"),
            py::Stmt::Try(_) | py::Stmt::TryStar(_) => StmtKind::Unsupported("try"),
            py::Stmt::Global(_) => StmtKind::Unsupported("global"),
            py::Stmt::Nonlocal(_) => StmtKind::Unsupported("nonlocal"),
        };
        Stmt { span, kind }
    }

    /// The name of a definition: the first word after its keyword, which comes after its decorators.
    fn defined(&self, keyword: &str, range: TextRange, decorators: &[py::Expr], name: &py::Identifier) -> Name {
        let from = decorators.iter().map(|d| d.range().end()).max().unwrap_or(range.start()).max(range.start());
        let (from, to) = (u32::from(from) as usize, u32::from(range.end()) as usize);
        let text = self.text.get(from..to).unwrap_or("");
        let after = text.find(keyword).map_or(0, |at| at + keyword.len());
        let at = text.get(after..).and_then(|t| t.find(name.as_str())).map_or(0, |at| after + at);
        let start = u32::try_from(from + at).unwrap_or(u32::MAX);
        let end = start.saturating_add(u32::try_from(name.as_str().len()).unwrap_or(0));
        Name { text: name.to_string(), span: self.span(TextRange::new(start.into(), end.into())) }
    }

    /// The name of a parameter, whose range in the parser's tree includes its type.
    fn param_name(&self, arg: &py::Arg) -> Name {
        let length = u32::try_from(arg.arg.as_str().len()).unwrap_or(0);
        let span = self.span(TextRange::at(arg.range.start(), length.into()));
        Name { text: arg.arg.to_string(), span }
    }

    #[allow(clippy::type_complexity)]
    fn function(
        &self,
        range: TextRange,
        name: &py::Identifier,
        is_async: bool,
        (args, returns, decorators, type_params, body): (
            &py::Arguments,
            &Option<Box<py::Expr>>,
            &[py::Expr],
            &[py::TypeParam],
            &[py::Stmt],
        ),
    ) -> Function {
        let span = self.span(range);
        let name = self.defined("def", range, decorators, name);
        let (params, mut unsupported) = self.params(args);
        if !type_params.is_empty() {
            unsupported.push((name.span, "a generic function"));
        }
        Function {
            name,
            is_async,
            decorators: self.exprs(decorators),
            params,
            ret: returns.as_ref().map(|e| self.expr(e)),
            body: Ok(self.body(body)),
            unsupported,
            span,
        }
    }

    /// Parameters, and what of them is outside the language.
    fn params(&self, args: &py::Arguments) -> (Vec<Param>, Vec<(Span, &'static str)>) {
        let param = |a: &py::ArgWithDefault, positional_only: bool, keyword_only: bool| Param {
            name: self.param_name(&a.def),
            annotation: a.def.annotation.as_ref().map(|e| self.expr(e)),
            default: a.default.as_ref().map(|e| self.expr(e)),
            keyword_only,
            positional_only,
        };
        let positional = args.posonlyargs.iter().map(|a| param(a, true, false));
        let either = args.args.iter().map(|a| param(a, false, false));
        let named = args.kwonlyargs.iter().map(|a| param(a, false, true));
        let mut unsupported = Vec::new();
        if let Some(a) = &args.vararg {
            unsupported.push((self.span(a.range), "a parameter with *"));
        }
        if let Some(a) = &args.kwarg {
            unsupported.push((self.span(a.range), "a parameter with **"));
        }
        (positional.chain(either).chain(named).collect(), unsupported)
    }

    fn case(&self, case: &py::MatchCase) -> MatchCase {
        let pattern = self.pattern(&case.pattern);
        let span = pattern.span;
        MatchCase { pattern, guard: case.guard.as_ref().map(|e| self.expr(e)), body: self.body(&case.body), span }
    }

    fn pattern(&self, pattern: &py::Pattern) -> Pattern {
        let span = self.span(pattern.range());
        let kind = match pattern {
            py::Pattern::MatchValue(p) => PatternKind::Value(self.expr(&p.value)),
            py::Pattern::MatchSingleton(p) => PatternKind::Value(Expr { span, kind: self.constant(&p.value) }),
            py::Pattern::MatchAs(p) => match (&p.pattern, &p.name) {
                (None, None) => PatternKind::Any,
                (inner, Some(name)) => {
                    // The parser has no place of the name; where a pattern stands before it, it is the last word.
                    let length = u32::try_from(name.as_str().len()).unwrap_or(0);
                    let place = Span { start: span.end.saturating_sub(length).max(span.start), ..span };
                    PatternKind::Capture(
                        inner.as_ref().map(|i| Box::new(self.pattern(i))),
                        Name { text: name.to_string(), span: place },
                    )
                }
                (Some(inner), None) => return self.pattern(inner),
            },
            py::Pattern::MatchOr(p) => PatternKind::Or(p.patterns.iter().map(|p| self.pattern(p)).collect()),
            py::Pattern::MatchSequence(p) => {
                PatternKind::Sequence(p.patterns.iter().map(|p| self.pattern(p)).collect())
            }
            py::Pattern::MatchStar(p) => {
                PatternKind::Star(p.name.as_ref().map(|name| Name { text: name.to_string(), span }))
            }
            py::Pattern::MatchMapping(p) => PatternKind::Mapping(
                p.keys.iter().zip(&p.patterns).map(|(key, p)| (self.expr(key), self.pattern(p))).collect(),
                p.rest.as_ref().map(|name| Name { text: name.to_string(), span }),
            ),
            py::Pattern::MatchClass(p) => {
                let named = p.kwd_attrs.iter().zip(&p.kwd_patterns);
                PatternKind::Class(
                    self.boxed(&p.cls),
                    p.patterns.iter().map(|p| self.pattern(p)).collect(),
                    named
                        .map(|(n, p)| (Name { text: n.to_string(), span: self.span(p.range()) }, self.pattern(p)))
                        .collect(),
                )
            }
        };
        Pattern { span, kind }
    }

    fn exprs(&self, exprs: &[py::Expr]) -> Vec<Expr> {
        exprs.iter().map(|e| self.expr(e)).collect()
    }

    fn boxed(&self, expr: &py::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    /// An expression.
    pub fn expr(&self, expr: &py::Expr) -> Expr {
        let span = self.span(expr.range());
        let maybe = |e: &Option<Box<py::Expr>>| e.as_ref().map(|e| self.boxed(e));
        let kind = match expr {
            py::Expr::BoolOp(e) => ExprKind::Logic(e.op == py::BoolOp::And, self.exprs(&e.values)),
            py::Expr::NamedExpr(e) => match &*e.target {
                py::Expr::Name(n) => {
                    let name = Name { text: n.id.to_string(), span: self.span(n.range) };
                    ExprKind::Walrus(name, self.boxed(&e.value))
                }
                _ => ExprKind::Unsupported("an assignment expression"),
            },
            py::Expr::BinOp(e) => ExprKind::Binary(binary_op(e.op), self.boxed(&e.left), self.boxed(&e.right)),
            py::Expr::UnaryOp(e) => {
                let op = match e.op {
                    py::UnaryOp::Invert => UnaryOp::Invert,
                    py::UnaryOp::Not => UnaryOp::Not,
                    py::UnaryOp::UAdd => UnaryOp::Plus,
                    py::UnaryOp::USub => UnaryOp::Minus,
                };
                ExprKind::Unary(op, self.boxed(&e.operand))
            }
            py::Expr::IfExp(e) => {
                ExprKind::If { test: self.boxed(&e.test), then: self.boxed(&e.body), otherwise: self.boxed(&e.orelse) }
            }
            py::Expr::Dict(e) => {
                let keys = e.keys.iter().map(|key| key.as_ref().map(|key| self.expr(key)));
                ExprKind::Dict(keys.zip(&e.values).map(|(k, v)| (k, self.expr(v))).collect())
            }
            py::Expr::Set(e) => ExprKind::Set(self.exprs(&e.elts)),
            py::Expr::ListComp(e) => self.comprehension(Makes::List, &e.elt, None, &e.generators),
            py::Expr::SetComp(e) => self.comprehension(Makes::Set, &e.elt, None, &e.generators),
            py::Expr::DictComp(e) => self.comprehension(Makes::Dict, &e.key, Some(&e.value), &e.generators),
            py::Expr::GeneratorExp(e) => self.comprehension(Makes::Generator, &e.elt, None, &e.generators),
            py::Expr::Await(e) => ExprKind::Await(self.boxed(&e.value)),
            py::Expr::Compare(e) => {
                let rest = e.ops.iter().zip(&e.comparators).map(|(op, e)| (compare_op(*op), self.expr(e)));
                ExprKind::Compare(self.boxed(&e.left), rest.collect())
            }
            py::Expr::Call(e) => {
                let positional = e.args.iter().map(|a| Argument { name: None, value: self.expr(a) });
                let named = e.keywords.iter().map(|k| {
                    let span = self.span(k.range);
                    match &k.arg {
                        Some(name) => {
                            let end = span.start.saturating_add(u32::try_from(name.as_str().len()).unwrap_or(0));
                            let name = Name { text: name.to_string(), span: Span { end, ..span } };
                            Argument { name: Some(name), value: self.expr(&k.value) }
                        }
                        None => {
                            let value = Expr { span, kind: ExprKind::Unsupported("** in a call") };
                            Argument { name: None, value }
                        }
                    }
                });
                ExprKind::Call(self.boxed(&e.func), positional.chain(named).collect())
            }
            py::Expr::JoinedStr(e) => ExprKind::Format(self.format(&e.values)),
            py::Expr::FormattedValue(_) => ExprKind::Format(self.format(std::slice::from_ref(expr))),
            py::Expr::Constant(e) => self.constant(&e.value),
            py::Expr::Attribute(e) => {
                let length = u32::try_from(e.attr.as_str().len()).unwrap_or(0);
                let name = Span { start: span.end.saturating_sub(length).max(span.start), ..span };
                ExprKind::Attribute(self.boxed(&e.value), Name { text: e.attr.to_string(), span: name })
            }
            py::Expr::Subscript(e) => ExprKind::Index(self.boxed(&e.value), self.boxed(&e.slice)),
            py::Expr::Name(e) => ExprKind::Name(e.id.to_string()),
            py::Expr::List(e) => ExprKind::List(self.exprs(&e.elts)),
            py::Expr::Tuple(e) => ExprKind::Tuple(self.exprs(&e.elts)),
            py::Expr::Slice(e) => ExprKind::Slice(maybe(&e.lower), maybe(&e.upper), maybe(&e.step)),
            py::Expr::Lambda(e) => match self.params(&e.args) {
                (params, unsupported) if unsupported.is_empty() => {
                    ExprKind::Lambda(Box::new(Lambda { params, value: self.expr(&e.body) }))
                }
                _ => ExprKind::Unsupported("a lambda with * parameters"),
            },
            py::Expr::Yield(_) | py::Expr::YieldFrom(_) => ExprKind::Unsupported("yield"),
            py::Expr::Starred(e) => ExprKind::Starred(self.boxed(&e.value)),
        };
        Expr { span, kind }
    }

    fn constant(&self, constant: &py::Constant) -> ExprKind {
        match constant {
            py::Constant::None => ExprKind::None,
            py::Constant::Bool(b) => ExprKind::Bool(*b),
            py::Constant::Str(s) => ExprKind::Str(s.clone()),
            py::Constant::Bytes(b) => ExprKind::Bytes(b.clone()),
            py::Constant::Int(i) => ExprKind::Int(i128::try_from(i.clone()).unwrap_or(i128::MAX)),
            py::Constant::Float(f) => ExprKind::Float(*f),
            py::Constant::Complex { .. } => ExprKind::Unsupported("a complex number"),
            py::Constant::Ellipsis => ExprKind::Unsupported("..."),
            py::Constant::Tuple(_) => ExprKind::Unsupported("a constant tuple"),
        }
    }

    fn format(&self, values: &[py::Expr]) -> Vec<FormatPart> {
        let mut out = Vec::new();
        for value in values {
            match value {
                py::Expr::FormattedValue(v) => out.push(FormatPart::Value {
                    value: self.expr(&v.value),
                    conversion: v.conversion.to_char(),
                    spec: match v.format_spec.as_deref() {
                        Some(py::Expr::JoinedStr(spec)) => self.format(&spec.values),
                        Some(other) => self.format(std::slice::from_ref(other)),
                        None => Vec::new(),
                    },
                }),
                py::Expr::Constant(c) => {
                    if let py::Constant::Str(s) = &c.value {
                        out.push(FormatPart::Text(s.clone()));
                    }
                }
                py::Expr::JoinedStr(inner) => out.extend(self.format(&inner.values)),
                other => out.push(FormatPart::Value { value: self.expr(other), conversion: None, spec: Vec::new() }),
            }
        }
        out
    }

    fn comprehension(
        &self,
        makes: Makes,
        element: &py::Expr,
        value: Option<&py::Expr>,
        clauses: &[py::Comprehension],
    ) -> ExprKind {
        if clauses.iter().any(|c| c.is_async) {
            return ExprKind::Unsupported("async for");
        }
        let clause = |c: &py::Comprehension| Clause {
            target: self.expr(&c.target),
            iterable: self.expr(&c.iter),
            conditions: self.exprs(&c.ifs),
        };
        ExprKind::Comprehension(Box::new(Comprehension {
            makes,
            element: self.expr(element),
            value: value.map(|v| self.expr(v)),
            clauses: clauses.iter().map(clause).collect(),
        }))
    }
}

fn binary_op(op: py::Operator) -> BinaryOp {
    match op {
        py::Operator::Add => BinaryOp::Add,
        py::Operator::Sub => BinaryOp::Sub,
        py::Operator::Mult => BinaryOp::Mul,
        py::Operator::MatMult => BinaryOp::MatMul,
        py::Operator::Div => BinaryOp::Div,
        py::Operator::Mod => BinaryOp::Mod,
        py::Operator::Pow => BinaryOp::Pow,
        py::Operator::LShift => BinaryOp::ShiftLeft,
        py::Operator::RShift => BinaryOp::ShiftRight,
        py::Operator::BitOr => BinaryOp::BitOr,
        py::Operator::BitXor => BinaryOp::BitXor,
        py::Operator::BitAnd => BinaryOp::BitAnd,
        py::Operator::FloorDiv => BinaryOp::FloorDiv,
    }
}

fn compare_op(op: py::CmpOp) -> CompareOp {
    match op {
        py::CmpOp::Eq => CompareOp::Eq,
        py::CmpOp::NotEq => CompareOp::Ne,
        py::CmpOp::Lt => CompareOp::Lt,
        py::CmpOp::LtE => CompareOp::Le,
        py::CmpOp::Gt => CompareOp::Gt,
        py::CmpOp::GtE => CompareOp::Ge,
        py::CmpOp::Is => CompareOp::Is,
        py::CmpOp::IsNot => CompareOp::IsNot,
        py::CmpOp::In => CompareOp::In,
        py::CmpOp::NotIn => CompareOp::NotIn,
    }
}
