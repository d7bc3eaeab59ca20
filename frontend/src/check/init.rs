//! `__init__` of a class that is no dataclass: until all fields have values they are variables of the function, then the
//! object is made of them. So no object is ever seen with a field that has no value.

use super::body::{Checker, Local};
use super::classes::{ClassKind, MethodKind};
use super::expr::{op, var};
use super::names::Program;
use crate::ast::{self, Argument, ExprKind as A};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::tree::{Stmt, StmtKind, VarId};
use deepslate_ir::entity::TypeId;
use deepslate_ir::ops::Op;

/// An object under construction.
pub(super) struct Init {
    /// What `__init__` calls the object.
    pub receiver: String,
    pub ty: TypeId,
    /// The variables that stand for its fields, in order.
    pub fields: Vec<VarId>,
    /// The object, once it is made.
    pub object: VarId,
    pub made: bool,
}

/// The name of the variable that stands for a field.
fn field_name(field: &str) -> String {
    format!("self.{field}")
}

impl Checker<'_, '_> {
    /// Begins an `__init__`.
    pub fn begin_init(&mut self, class: usize, receiver: &ast::Name, out: &mut Vec<Stmt>) {
        let Some(ty) = self.program.classes[class].ty else { return };
        let mut fields = Vec::new();
        for field in self.program.classes[class].fields.clone() {
            let Some(ty) = field.param.ty else { return };
            let name = field_name(&field.param.name);
            let id = self.new_var(Some(name.clone()), ty);
            self.names.insert(name, Local { var: Some(id), span: field.param.span });
            fields.push(id);
        }
        let object = self.new_var(Some(receiver.text.clone()), ty);
        self.locals.insert(receiver.text.clone());
        self.init = Some(Init { receiver: receiver.text.clone(), ty, fields, object, made: false });
        self.make_object(receiver.span, out);
    }

    /// Makes the object if all its fields have values.
    pub fn make_object(&mut self, span: Span, out: &mut Vec<Stmt>) {
        let Some(init) = &mut self.init else { return };
        if init.made || !self.assigned.is_reached() || !init.fields.iter().all(|f| self.assigned.has(*f)) {
            return;
        }
        init.made = true;
        let (ty, object, receiver) = (init.ty, init.object, init.receiver.clone());
        let args = init.fields.iter().map(|id| var(*id, self.vars[id.0 as usize].ty, span)).collect();
        out.push(Stmt { span, kind: StmtKind::Assign(object, op(Op::New, args, ty, span)) });
        self.names.insert(receiver, Local { var: Some(object), span });
        self.assigned.add(object);
    }

    /// The name of the variable that stands for a field of the object under construction.
    pub fn field_variable(&self, of: &ast::Expr, field: &ast::Name) -> Option<ast::Expr> {
        let init = self.init.as_ref().filter(|init| !init.made)?;
        let name = field_name(&field.text);
        let is_field = matches!(&of.kind, A::Name(n) if *n == init.receiver) && self.names.contains_key(&name);
        is_field.then_some(ast::Expr { span: field.span, kind: A::Name(name) })
    }

    /// Ends an `__init__`: its object is what the call gives.
    pub fn end_init(&mut self, span: Span, out: &mut Vec<Stmt>) {
        let Some(init) = &self.init else { return };
        if !init.made {
            let missing: Vec<String> = init
                .fields
                .iter()
                .filter(|f| !self.assigned.has(**f))
                .filter_map(|f| self.vars[f.0 as usize].name.clone())
                .collect();
            let message = format!("`{}` may end before {} has a value", self.function, missing.join(" and "));
            let report = Diagnostic::error(Code::Unassigned, span, message);
            self.report(report.help("give each field a value on every path through __init__"));
            return;
        }
        let object = var(init.object, init.ty, span);
        out.push(Stmt { span, kind: StmtKind::Return(object) });
    }

    /// `super().__init__(…)` in an `__init__`: what the base's one does, in place.
    pub fn super_init(&mut self, arguments: &[Argument], span: Span, out: &mut Vec<Stmt>) {
        let function = &self.program.functions[self.index];
        let (Some(owner), Some(defined_in)) = (function.owner, self.inits.last().copied().or(function.defined_in))
        else {
            return;
        };
        let mut base = self.program.classes[defined_in].base;
        let found = loop {
            let Some(class) = base else { break None };
            let inits = &self.program.classes[owner].methods;
            if let Some(init) = inits.iter().find(|m| m.defined_in == class && m.kind == MethodKind::Init) {
                break Some((class, init.function));
            }
            base = self.program.classes[class].base;
        };
        let Some((class, function)) = found else {
            // The base is `object`, or has no `__init__`.
            self.arguments("__init__", &[], arguments, span);
            return;
        };
        let name = self.program.functions[function].name.clone();
        let params = self.program.functions[function].params.clone();
        let ast = self.program.functions[function].ast;
        let Some((values, stmts)) = self.arguments(&name, &params, arguments, span) else { return };
        out.extend(stmts);
        let (Ok(body), Some(receiver)) = (&ast.body, ast.params.first()) else { return };
        let fields: Vec<(String, Local)> =
            self.names.iter().filter(|(n, _)| n.starts_with("self.")).map(|(n, l)| (n.clone(), *l)).collect();
        let mut inner: std::collections::HashMap<String, Local> = fields.into_iter().collect();
        for (param, value) in params.iter().zip(values) {
            let id = self.new_var(None, value.ty);
            out.push(Stmt { span, kind: StmtKind::Assign(id, value) });
            self.assigned.add(id);
            inner.insert(param.name.clone(), Local { var: Some(id), span: param.span });
        }
        if self.init.as_ref().is_some_and(|i| i.made) {
            let message = "`super().__init__` comes after all fields have values";
            let report = Diagnostic::error(Code::NotYet, span, format!("not supported yet: {message}"));
            self.report(report.help("call it first in __init__"));
            return;
        }
        let names = std::mem::replace(&mut self.names, inner);
        let locals = std::mem::take(&mut self.locals);
        let lambdas = std::mem::take(&mut self.lambdas);
        let nested = std::mem::take(&mut self.nested);
        super::body::assigned_names(body, &mut self.locals);
        self.locals.extend(params.iter().map(|p| p.name.clone()));
        self.locals.insert(receiver.name.text.clone());
        let outer = self.init.as_mut().map(|init| std::mem::replace(&mut init.receiver, receiver.name.text.clone()));
        self.inits.push(class);
        let inner = self.init_block(body);
        out.extend(inner);
        self.inits.pop();
        let made = self.init.as_ref().is_some_and(|i| i.made);
        if let (Some(init), Some(outer)) = (&mut self.init, outer) {
            init.receiver = outer;
        }
        self.names = names;
        self.locals = locals;
        self.lambdas = lambdas;
        self.nested = nested;
        if made && let Some(init) = &self.init {
            let (receiver, object) = (init.receiver.clone(), init.object);
            self.names.insert(receiver, Local { var: Some(object), span });
        }
    }

    /// The statements of an `__init__`: the object is made after the first one with which all fields have values.
    pub fn init_block(&mut self, stmts: &[ast::Stmt]) -> Vec<Stmt> {
        let mut out = Vec::new();
        for stmt in stmts {
            self.stmt(stmt, &mut out);
            self.make_object(stmt.span, &mut out);
        }
        out
    }
}

impl Program<'_> {
    /// The class whose `__init__` a function is, if it is one.
    pub fn init_of(&self, index: usize) -> Option<usize> {
        let function = &self.functions[index];
        let owner = function.owner.filter(|_| function.method == Some(MethodKind::Init))?;
        (self.classes[owner].kind == ClassKind::Plain).then_some(owner)
    }
}
