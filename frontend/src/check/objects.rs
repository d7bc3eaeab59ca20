//! Objects in a function: how they are made, their methods, properties and constants, and what operators and builtins mean
//! for classes that define them.

use super::body::Checker;
use super::builtin::methods_of;
use super::classes::{ClassKind, Method, MethodKind};
use super::convert::op_with;
use super::expr::{op, root_name, seq, typed};
use super::names::Global;
use super::signatures::{Default, Param};
use crate::ast::{self, Argument, BinaryOp, CompareOp, ExprKind as A, UnaryOp};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Stmt, StmtKind};
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Type};

impl Checker<'_, '_> {
    /// Makes an object of a class.
    pub fn construct(&mut self, index: usize, arguments: &[Argument], span: Span) -> Option<Expr> {
        let class = &self.program.classes[index];
        let (name, place, kind) = (class.ast.name.text.clone(), class.ast.span, class.kind);
        let mut reports = Vec::new();
        let ty = self.program.class_type(index, span, &mut reports);
        self.out.append(&mut reports);
        let Some(ty) = ty else {
            arguments.iter().for_each(|a| {
                self.expr(&a.value, None);
            });
            return None;
        };
        self.uses.push(place);
        let abstracts: Vec<String> = self.abstract_methods(index);
        if !abstracts.is_empty() {
            let message = format!("`{name}` is abstract: it lacks `{}`", abstracts.join("`, `"));
            return self.fail(Code::NotCallable, span, message);
        }
        if kind == ClassKind::Enum {
            return self.construct_enum(index, arguments, span);
        }
        if kind == ClassKind::Plain {
            return match self.program.classes[index].method("__init__").cloned() {
                Some(init) => {
                    let params = self.program.functions[init.function].params.clone();
                    self.call_with(init.function, &params, Vec::new(), Vec::new(), arguments, span, false)
                }
                None => {
                    self.arguments(&name, &[], arguments, span)?;
                    Some(op(Op::New, Vec::new(), ty, span))
                }
            };
        }
        let fields = self.program.classes[index].fields.clone();
        let params: Vec<Param> = {
            let given = fields.iter().filter(|f| f.init).map(|f| &f.param);
            let (named, positional): (Vec<&Param>, Vec<&Param>) = given.partition(|p| p.keyword_only);
            positional.into_iter().chain(named).cloned().collect()
        };
        let (args, mut stmts) = self.arguments(&name, &params, arguments, span)?;
        let in_order = params.iter().map(|p| &p.name).eq(fields.iter().map(|f| &f.param.name));
        let args = if in_order {
            args
        } else {
            let kept: Vec<(String, Expr)> =
                params.iter().map(|p| p.name.clone()).zip(args.into_iter().map(|a| self.keep(a, &mut stmts))).collect();
            let mut slots = Vec::new();
            for field in &fields {
                slots.push(match kept.iter().find(|(n, _)| *n == field.param.name) {
                    Some((_, value)) => value.clone(),
                    None => self.default_value(&field.param, span)?,
                });
            }
            slots
        };
        let object = op(Op::New, args, ty, span);
        let Some(after) = self.program.classes[index].method("__post_init__").cloned() else {
            return Some(seq(stmts, object));
        };
        let object = self.keep(object, &mut stmts);
        let call = self.call_method_of(&after, object.clone(), &[], span, false)?;
        stmts.push(Stmt { span, kind: StmtKind::Do(call) });
        Some(seq(stmts, object))
    }

    fn abstract_methods(&self, index: usize) -> Vec<String> {
        let class = &self.program.classes[index];
        let mut out: Vec<String> = Vec::new();
        for method in &class.methods {
            let first = class.method(&method.name).is_some_and(|m| m.function == method.function);
            let ast = self.program.functions[method.function].ast;
            let marked = ast.decorators.iter().any(
                |d| matches!(&d.kind, A::Name(n) | A::Attribute(_, ast::Name { text: n, .. }) if n == "abstractmethod"),
            );
            if first && marked {
                out.push(method.name.clone());
            }
        }
        out
    }

    /// What a parameter or field is where it is not given.
    pub fn default_value(&mut self, param: &Param, span: Span) -> Option<Expr> {
        let ty = param.ty?;
        match param.default.as_ref()? {
            Default::Constant(datum) => Some(super::constants::literal(&self.program.types, datum, ty, span)),
            Default::Made(source) => {
                let value = self.globally(|c| c.expr(source, Some(ty)))?;
                self.needed(value, ty, &format!("the default of `{}`", param.name))
            }
            Default::Wrong => None,
        }
    }

    /// Checks what stands outside of the function: none of the function's own names mean anything there.
    pub fn globally<T>(&mut self, check: impl FnOnce(&mut Self) -> T) -> T {
        let names = std::mem::take(&mut self.names);
        let locals = std::mem::take(&mut self.locals);
        let lambdas = std::mem::take(&mut self.lambdas);
        let nested = std::mem::take(&mut self.nested);
        let result = check(self);
        self.names = names;
        self.locals = locals;
        self.lambdas = lambdas;
        self.nested = nested;
        result
    }

    /// The method of a class that a value has.
    pub fn method_named(&self, ty: TypeId, name: &str) -> Option<Method> {
        let class = self.program.class_of(ty)?;
        self.program.classes[class].method(name).cloned()
    }

    /// Calls a method on an object (or its class).
    pub fn call_method_of(
        &mut self,
        method: &Method,
        receiver: Expr,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        let params = self.program.functions[method.function].params.clone();
        match method.kind {
            MethodKind::Static | MethodKind::Class => {
                let call =
                    self.call_with(method.function, &params, Vec::new(), Vec::new(), arguments, span, awaited)?;
                let effect = Stmt { span, kind: StmtKind::Do(receiver) };
                Some(seq(vec![effect], call))
            }
            MethodKind::Instance | MethodKind::Property | MethodKind::Setter => {
                let params = params.get(1..).unwrap_or_default();
                self.call_with(method.function, params, vec![receiver], Vec::new(), arguments, span, awaited)
            }
            MethodKind::Init => self.fail(Code::Unsupported, span, "`__init__` is called where an object is made only"),
        }
    }

    /// Calls a method with values that are checked already.
    fn call_on(&mut self, method: &Method, receiver: Expr, values: Vec<Expr>, span: Span) -> Option<Expr> {
        // Also where the method has a mistake: then that is why the caller can't be compiled.
        self.calls.push((method.function, span));
        let params = self.program.functions[method.function].params.clone();
        let ret = self.program.functions[method.function].ret;
        if params.len() != values.len() + 1 {
            let message = format!("`{}` does not take {}", method.name, super::call::count(values.len(), "argument"));
            return self.fail(Code::ArgumentCount, span, message);
        }
        let mut args = vec![receiver];
        for (value, param) in values.into_iter().zip(&params[1..]) {
            args.push(self.needed(value, param.ty?, &format!("argument `{}` of `{}`", param.name, method.name))?);
        }
        Some(typed(ret?, span, ExprKind::Call(method.function, args)))
    }

    /// A call of something that a class has: `Point.origin()`, `Point.norm(p)`.
    pub fn call_class_member(
        &mut self,
        class: usize,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
        awaited: bool,
    ) -> Option<Expr> {
        let mut reports = Vec::new();
        let ty = self.program.class_type(class, name.span, &mut reports);
        self.out.append(&mut reports);
        ty?;
        let Some(method) = self.program.classes[class].method(&name.text).cloned() else {
            return self.no_member(class, name);
        };
        match method.kind {
            MethodKind::Static | MethodKind::Class => {
                let params = self.program.functions[method.function].params.clone();
                self.call_with(method.function, &params, Vec::new(), Vec::new(), arguments, span, awaited)
            }
            MethodKind::Init => self.fail(Code::Unsupported, span, "`__init__` is called where an object is made only"),
            _ => {
                let params = self.program.functions[method.function].params.clone();
                self.call_with(method.function, &params, Vec::new(), Vec::new(), arguments, span, awaited)
            }
        }
    }

    fn no_member<T>(&mut self, class: usize, name: &ast::Name) -> Option<T> {
        let class = &self.program.classes[class];
        let message = format!("`{}` has no `{}`", class.ast.name.text, name.text);
        let known =
            class.methods.iter().map(|m| m.name.as_str()).chain(class.constants.iter().map(|(n, _)| n.as_str()));
        let near = nearest(&name.text, known).map(str::to_owned);
        let report = Diagnostic::error(Code::UnknownMember, name.span, message);
        self.report(match near {
            Some(near) => report.help(format!("did you mean `{near}`?")),
            None => report,
        });
        None
    }

    /// `super().name(…)`: what the class after the one that defines this method has.
    pub fn call_super(&mut self, name: &ast::Name, arguments: &[Argument], span: Span, awaited: bool) -> Option<Expr> {
        let function = &self.program.functions[self.index];
        let (Some(owner), Some(defined_in)) = (function.owner, function.defined_in) else {
            return self.fail(Code::Unsupported, span, "`super()` stands in methods only");
        };
        let methods = &self.program.classes[owner].methods;
        let after = methods.iter().position(|m| {
            let mut at = Some(defined_in);
            let mut below = false;
            while let Some(class) = at {
                below |= class == m.defined_in && class != defined_in;
                at = self.program.classes[class].base;
            }
            below && m.name == name.text
        });
        let Some(method) = after.map(|at| methods[at].clone()) else {
            let message = format!("no base class has a method `{}`", name.text);
            return self.fail(Code::UnknownMember, name.span, message);
        };
        let receiver = match self.program.functions[self.index].ast.params.first() {
            Some(receiver) if method.kind != MethodKind::Class => {
                let receiver = ast::Expr { span, kind: A::Name(receiver.name.text.clone()) };
                self.expr(&receiver, None)?
            }
            _ => typed(types::NONE, span, ExprKind::None),
        };
        self.call_method_of(&method, receiver, arguments, span, awaited)
    }

    /// An attribute of a class: a constant.
    pub fn class_attribute(&mut self, class: usize, name: &ast::Name) -> Option<Expr> {
        match self.class_constant(class, &name.text) {
            Some(index) => {
                let place = self.program.classes[class].ast.span;
                self.uses.push(place);
                self.constant(index, name.span)
            }
            None if self.program.classes[class].members.is_some() => self.no_enum_member(class, name),
            None => self.no_member(class, name),
        }
    }

    fn class_constant(&self, class: usize, name: &str) -> Option<usize> {
        self.program.classes[class].constants.iter().find(|(n, _)| n == name).map(|(_, index)| *index)
    }

    /// An attribute of an object that is no field: a property or a constant of its class. `None` if it has none.
    pub fn other_attribute(&mut self, of: &Expr, name: &ast::Name) -> Option<Option<Expr>> {
        let class = self.program.class_of(of.ty)?;
        if let Some(method) = self.program.classes[class].method(&name.text).cloned() {
            return Some(match method.kind {
                MethodKind::Property => self.call_method_of(&method, of.clone(), &[], name.span, false),
                _ => {
                    let message = format!("`{}` is a method, and methods are not values", name.text);
                    let report = Diagnostic::error(Code::NotCallable, name.span, message);
                    self.report(report.help(format!("call it: .{}(…)", name.text)));
                    None
                }
            });
        }
        let index = self.class_constant(class, &name.text)?;
        let effect = Stmt { span: of.span, kind: StmtKind::Do(of.clone()) };
        Some(self.constant(index, name.span).map(|value| seq(vec![effect], value)))
    }

    /// Assignment to a property. `false` if the class has none of this name.
    pub fn set_property(&mut self, of: &Expr, name: &ast::Name, value: &Expr, span: Span, out: &mut Vec<Stmt>) -> bool {
        let Some(class) = self.program.class_of(of.ty) else { return false };
        let methods = &self.program.classes[class].methods;
        let Some(setter) = methods.iter().find(|m| m.name == name.text && m.kind == MethodKind::Setter).cloned() else {
            return false;
        };
        if let Some(call) = self.call_on(&setter, of.clone(), vec![value.clone()], span) {
            out.push(Stmt { span, kind: StmtKind::Do(call) });
        }
        true
    }

    /// An operator that the class of an operand defines. `None` if none does.
    pub fn own_binary(&mut self, code: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Option<Option<Expr>> {
        let name = match code {
            BinaryOp::Add => "add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::Div => "truediv",
            BinaryOp::FloorDiv => "floordiv",
            BinaryOp::Mod => "mod",
            BinaryOp::Pow => "pow",
            BinaryOp::MatMul => "matmul",
            BinaryOp::BitAnd => "and",
            BinaryOp::BitOr => "or",
            BinaryOp::BitXor => "xor",
            BinaryOp::ShiftLeft => "lshift",
            BinaryOp::ShiftRight => "rshift",
        };
        if let Some(method) = self.method_named(left.ty, &format!("__{name}__")) {
            let takes = self.program.functions[method.function].params.get(1).and_then(|p| p.ty);
            let fits = takes.is_some_and(|ty| super::convert::converts(right.ty, ty));
            if fits || self.method_named(right.ty, &format!("__r{name}__")).is_none() {
                return Some(self.call_on(&method, left.clone(), vec![right.clone()], span));
            }
        }
        let method = self.method_named(right.ty, &format!("__r{name}__"))?;
        let mut stmts = Vec::new();
        let left = self.keep(left.clone(), &mut stmts);
        let call = self.call_on(&method, right.clone(), vec![left], span);
        Some(call.map(|call| seq(stmts, call)))
    }

    /// A unary operator that the class of the operand defines.
    pub fn own_unary(&mut self, code: UnaryOp, value: &Expr, span: Span) -> Option<Option<Expr>> {
        let name = match code {
            UnaryOp::Minus => "__neg__",
            UnaryOp::Plus => "__pos__",
            UnaryOp::Invert => "__invert__",
            UnaryOp::Not => return None,
        };
        let method = self.method_named(value.ty, name)?;
        Some(self.call_on(&method, value.clone(), Vec::new(), span))
    }

    /// A comparison of two objects of one class. `None` if they are no objects.
    pub fn own_compare(&mut self, code: CompareOp, left: &Expr, right: &Expr, span: Span) -> Option<Option<Expr>> {
        let class = self.program.class_of(left.ty).filter(|_| left.ty == right.ty)?;
        let (own, reflected) = match code {
            CompareOp::Eq => ("__eq__", "__eq__"),
            CompareOp::Ne => ("__ne__", "__ne__"),
            CompareOp::Lt => ("__lt__", "__gt__"),
            CompareOp::Le => ("__le__", "__ge__"),
            CompareOp::Gt => ("__gt__", "__lt__"),
            CompareOp::Ge => ("__ge__", "__le__"),
            CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn => return None,
        };
        if let Some(method) = self.method_named(left.ty, own) {
            return Some(self.call_on(&method, left.clone(), vec![right.clone()], span));
        }
        if code == CompareOp::Ne
            && let Some(method) = self.method_named(left.ty, "__eq__")
        {
            let equal = self.call_on(&method, left.clone(), vec![right.clone()], span);
            return Some(equal.map(|equal| op(Op::Bnot, vec![equal], types::BOOL, span)));
        }
        if let Some(method) = self.method_named(left.ty, reflected) {
            let mut stmts = Vec::new();
            let left = self.keep(left.clone(), &mut stmts);
            let call = self.call_on(&method, right.clone(), vec![left], span);
            return Some(call.map(|call| seq(stmts, call)));
        }
        if matches!(code, CompareOp::Eq | CompareOp::Ne) {
            return self.not_by_content(left.ty, &mut Vec::new()).map(|class| self.by_identity(&class, span));
        }
        let (order, total) = (self.program.classes[class].order, self.program.classes[class].total);
        if total && let Some(less) = self.method_named(left.ty, "__lt__") {
            // As functools.total_ordering: `a <= b` is `a < b or a == b`.
            let mut stmts = Vec::new();
            let (a, b) = (self.keep(left.clone(), &mut stmts), self.keep(right.clone(), &mut stmts));
            return Some((|| {
                let less = self.call_on(&less, a.clone(), vec![b.clone()], span)?;
                let value = match code {
                    CompareOp::Ge => op(Op::Bnot, vec![less], types::BOOL, span),
                    _ => {
                        let equal = self.compare(CompareOp::Eq, a, b, span)?;
                        typed(types::BOOL, span, ExprKind::Logic(false, Box::new(less), Box::new(equal)))
                    }
                };
                Some(seq(stmts, value))
            })());
        }
        if !order {
            return None;
        }
        let mut stmts = Vec::new();
        let left = self.keep(left.clone(), &mut stmts);
        let right = self.keep(right.clone(), &mut stmts);
        let left = self.as_tuple(left);
        let right = self.as_tuple(right);
        Some(self.compare(code, left, right, span).map(|value| seq(stmts, value)))
    }

    /// The fields of an object as a tuple.
    pub fn as_tuple(&mut self, object: Expr) -> Expr {
        let span = object.span;
        let slots = self.program.types.slots(object.ty).unwrap_or_default();
        let ty = self.program.types.intern(Type::Tuple(slots.clone()));
        let parts = slots.into_iter().enumerate().map(|(index, ty)| {
            let slot = Imm::Slot(u32::try_from(index).unwrap_or(u32::MAX));
            op_with(Op::SlotGet, vec![object.clone()], slot, ty, span)
        });
        op(Op::New, parts.collect(), ty, span)
    }

    /// A class within a type whose objects are not compared by their fields.
    pub fn not_by_content(&self, ty: TypeId, seen: &mut Vec<TypeId>) -> Option<String> {
        if seen.contains(&ty) {
            return None;
        }
        seen.push(ty);
        match self.program.types.get(ty) {
            Type::Class(id) => {
                let class = self.program.class_of(ty).map(|index| &self.program.classes[index]);
                if class.is_some_and(|c| !c.eq || c.method("__eq__").is_some()) {
                    return Some(self.program.types.class(*id).name.clone());
                }
                self.program.types.class(*id).fields.iter().find_map(|f| self.not_by_content(f.ty, seen))
            }
            Type::List(e) | Type::Set(e) | Type::FrozenSet(e) | Type::TupleOf(e) => self.not_by_content(*e, seen),
            Type::Dict(k, v) => self.not_by_content(*k, seen).or_else(|| self.not_by_content(*v, seen)),
            Type::Tuple(parts) => parts.iter().find_map(|p| self.not_by_content(*p, seen)),
            _ => None,
        }
    }

    /// The report for a comparison that needs the identity or the own `__eq__` of objects.
    pub fn by_identity<T>(&mut self, class: &str, span: Span) -> Option<T> {
        let message = format!(
            "not supported yet: comparing what holds objects of `{class}`, which have no fields to be equal by"
        );
        let report = Diagnostic::error(Code::NotYet, span, message);
        self.report(report.help("compare their fields, or mark the class as @dataclass"));
        None
    }

    /// What `str(value)` gives for a class that says it itself. `None` if the class does not.
    pub fn own_text(&mut self, value: &Expr, repr: bool) -> Option<Option<Expr>> {
        let names: &[&str] = if repr { &["__repr__"] } else { &["__str__", "__repr__"] };
        if let Some(method) = names.iter().find_map(|n| self.method_named(value.ty, n)) {
            return Some(self.call_on(&method, value.clone(), Vec::new(), value.span));
        }
        if !self.says_itself(value.ty, &mut Vec::new()) {
            return None;
        }
        if self.showing.contains(&value.ty) {
            let name = self.name(value.ty);
            let message = format!("not supported yet: the text of `{name}`, which holds others of its kind");
            self.report(Diagnostic::error(Code::NotYet, value.span, message).help("give the class a __repr__"));
            return Some(None);
        }
        self.showing.push(value.ty);
        let text = self.shown_parts(value.clone());
        self.showing.pop();
        Some(text)
    }

    /// Whether the text of a value of this type is not what the builtin makes of it.
    fn says_itself(&self, ty: TypeId, seen: &mut Vec<TypeId>) -> bool {
        if seen.contains(&ty) {
            return false;
        }
        seen.push(ty);
        match self.program.types.get(ty) {
            Type::Class(id) => {
                let class = self.program.class_of(ty).map(|index| &self.program.classes[index]);
                class.is_some_and(|c| c.kind == ClassKind::Plain || c.method("__repr__").is_some())
                    || self.program.types.class(*id).fields.iter().any(|f| self.says_itself(f.ty, seen))
            }
            Type::List(e) | Type::Set(e) | Type::FrozenSet(e) | Type::TupleOf(e) => self.says_itself(*e, seen),
            Type::Dict(k, v) => self.says_itself(*k, seen) || self.says_itself(*v, seen),
            Type::Tuple(parts) => parts.iter().any(|p| self.says_itself(*p, seen)),
            _ => false,
        }
    }

    /// What `repr(value)` gives.
    pub fn repr_of(&mut self, value: Expr) -> Option<Expr> {
        match self.own_text(&value, true) {
            Some(text) => text,
            None => {
                let span = value.span;
                self.called("repr", vec![value], span)
            }
        }
    }

    /// The text of a value with a part that says its text itself.
    fn shown_parts(&mut self, value: Expr) -> Option<Expr> {
        let span = value.span;
        let text = |text: &str| typed(types::STR, span, ExprKind::Str(text.to_owned()));
        let mut stmts = Vec::new();
        match self.program.types.get(value.ty).clone() {
            Type::Class(id) => {
                let class = self.program.types.class(id).clone();
                if self.program.class_of(value.ty).is_some_and(|c| self.program.classes[c].kind == ClassKind::Plain) {
                    let message = format!("`{}` says nothing of the text of its objects", class.name);
                    let report = Diagnostic::error(Code::UnknownMember, span, message);
                    self.report(report.help("give the class a __repr__ or __str__"));
                    return None;
                }
                let value = self.keep(value, &mut stmts);
                let mut parts = vec![text(&format!("{}(", class.name))];
                for (index, field) in class.fields.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    parts.push(text(&format!("{comma}{}=", field.name)));
                    let slot = Imm::Slot(u32::try_from(index).unwrap_or(u32::MAX));
                    parts.push(self.repr_of(op_with(Op::SlotGet, vec![value.clone()], slot, field.ty, span))?);
                }
                parts.push(text(")"));
                Some(seq(stmts, self.joined(parts, "", span)?))
            }
            Type::Tuple(slots) => {
                let value = self.keep(value, &mut stmts);
                let mut parts = vec![text("(")];
                for (index, ty) in slots.iter().enumerate() {
                    if index > 0 {
                        parts.push(text(", "));
                    }
                    let slot = Imm::Slot(u32::try_from(index).unwrap_or(u32::MAX));
                    parts.push(self.repr_of(op_with(Op::SlotGet, vec![value.clone()], slot, *ty, span))?);
                }
                parts.push(text(if slots.len() == 1 { ",)" } else { ")" }));
                Some(seq(stmts, self.joined(parts, "", span)?))
            }
            Type::List(element) => {
                let source = self.hide(value, &mut stmts);
                let (target, _) = self.hidden(element, span);
                let inside = self.shown_each(&target, &source, span, &mut stmts, |c, target| {
                    let element = c.expr(target, None)?;
                    c.repr_of(element)
                })?;
                Some(seq(stmts, self.joined(vec![text("["), inside, text("]")], "", span)?))
            }
            Type::Dict(key, element) => {
                let source = self.hide(value, &mut stmts);
                let (key, _) = self.hidden(key, span);
                let (element, _) = self.hidden(element, span);
                let items = ast::Name { text: "items".to_owned(), span };
                let items = ast::Expr { span, kind: A::Attribute(Box::new(source), items) };
                let items = ast::Expr { span, kind: A::Call(Box::new(items), Vec::new()) };
                let target = ast::Expr { span, kind: A::Tuple(vec![key.clone(), element.clone()]) };
                let inside = self.shown_each(&target, &items, span, &mut stmts, |c, _| {
                    let key = c.expr(&key, None)?;
                    let key = c.repr_of(key)?;
                    let value = c.expr(&element, None)?;
                    let value = c.repr_of(value)?;
                    c.joined(vec![key, value], ": ", span)
                })?;
                Some(seq(stmts, self.joined(vec![text("{"), inside, text("}")], "", span)?))
            }
            _ => {
                let message = format!("not supported yet: the text of {}", self.name(value.ty));
                self.fail(Code::NotYet, span, message)
            }
        }
    }

    fn shown_each(
        &mut self,
        target: &ast::Expr,
        items: &ast::Expr,
        span: Span,
        stmts: &mut Vec<Stmt>,
        each: impl FnOnce(&mut Self, &ast::Expr) -> Option<Expr>,
    ) -> Option<Expr> {
        let list = self.program.types.intern(Type::List(types::STR));
        let texts = op(Op::ListNew, Vec::new(), list, span);
        let texts = self.keep(texts, stmts);
        let push = texts.clone();
        let lp = self.each(target, items, span, stmts, |c| {
            let text = each(c, target)?;
            let push = op(Op::ListPush, vec![push, text], types::NONE, span);
            Some(vec![Stmt { span, kind: StmtKind::Do(push) }])
        })?;
        stmts.push(lp);
        let comma = typed(types::STR, span, ExprKind::Str(", ".to_owned()));
        self.syntax("str_join", vec![comma, texts], span)
    }

    /// A builtin or an operator that calls a method of the object without arguments: `len(x)`, `x[i]`.
    pub fn own_call(&mut self, value: &Expr, name: &str, args: Vec<Expr>, span: Span) -> Option<Option<Expr>> {
        let method = self.method_named(value.ty, name)?;
        Some(self.call_on(&method, value.clone(), args, span))
    }

    /// `dataclasses.replace(object, field=…)` and `object._replace(field=…)`.
    pub fn replaced(&mut self, object: Expr, arguments: &[Argument], span: Span) -> Option<Expr> {
        let Some(class) = self.program.class_of(object.ty) else {
            let message = format!("{} has no fields to replace", self.name(object.ty));
            return self.fail(Code::Mismatch, object.span, message);
        };
        let mut stmts = Vec::new();
        let object = self.hide(object, &mut stmts);
        let mut all: Vec<Argument> = arguments.to_vec();
        for field in self.program.classes[class].fields.clone() {
            let given = arguments.iter().any(|a| a.name.as_ref().is_some_and(|n| n.text == field.param.name));
            if given || !field.init {
                continue;
            }
            let name = ast::Name { text: field.param.name, span };
            let value = ast::Expr { span, kind: A::Attribute(Box::new(object.clone()), name.clone()) };
            all.push(Argument { name: Some(name), value });
        }
        if let Some(argument) = arguments.iter().find(|a| a.name.is_none()) {
            return self.fail(Code::ArgumentName, argument.value.span, "fields are replaced by name: field=value");
        }
        let made = self.construct(class, &all, span)?;
        Some(seq(stmts, made))
    }

    /// The types of the fields of a named tuple, which is taken apart as a tuple is.
    pub fn named_parts(&self, ty: TypeId) -> Option<Vec<TypeId>> {
        let class = self.program.class_of(ty)?;
        (self.program.classes[class].kind == ClassKind::Named).then(|| self.program.types.slots(ty)).flatten()
    }

    /// `isinstance(value, Class)` of a value that is known to be of that class, as `__eq__` asks of what it is given.
    pub fn is_of_class(&mut self, arguments: &[Argument], span: Span) -> Option<Expr> {
        let [value, class] = arguments else { return None };
        let class = self.class_named(&class.value)?;
        let A::Name(name) = &value.value.kind else { return None };
        let ty = self.names.get(name)?.var.map(|v| self.type_of_variable(v))?;
        let mut at = self.program.class_of(ty);
        while let Some(index) = at {
            if index == class {
                return Some(typed(types::BOOL, span, ExprKind::Bool(true)));
            }
            at = self.program.classes[index].base;
        }
        None
    }

    /// The fields and methods that a value of a class has, for a report.
    pub fn members_of(&self, ty: TypeId) -> Vec<String> {
        let Some(class) = self.program.class_of(ty) else {
            return methods_of(&self.program.types, ty).into_iter().map(str::to_owned).collect();
        };
        let class = &self.program.classes[class];
        let fields = class.fields.iter().map(|f| f.param.name.clone());
        fields.chain(class.methods.iter().map(|m| m.name.clone())).collect()
    }

    /// The class that a name in the source stands for here.
    pub fn class_named(&self, of: &ast::Expr) -> Option<usize> {
        let root = root_name(of)?;
        if self.names.contains_key(root) || self.locals.contains(root) {
            return None;
        }
        match self.program.path(of) {
            Some((_, Some(Global::Class(index)))) => Some(index),
            _ => None,
        }
    }
}
