//! The class of the language's own: `DSError`, what a call gives that did not succeed. It is declared as a class of the
//! sources is, but stands in none of them, and a module has it where something in it is of its type.

use super::classes::{Class, ClassField, ClassKind};
use super::names::Program;
use super::signatures::{Default, Param};
use crate::ast;
use crate::source::Span;
use deepslate_ir::dserror;
use deepslate_ir::types::Type;
use std::sync::LazyLock;

/// Its index among the classes of a program.
pub(crate) const DS_ERROR: usize = 0;

/// It as it would be written, but for its fields, whose types mean the same whatever a source calls `str`.
static WRITTEN: LazyLock<ast::Class> = LazyLock::new(|| ast::Class {
    name: ast::Name { text: dserror::NAME.to_owned(), span: Span::NOWHERE },
    decorators: Vec::new(),
    bases: Vec::new(),
    body: Vec::new(),
    span: Span::NOWHERE,
});

/// Declares it, which is done before any other class is.
pub(super) fn declare(program: &mut Program<'_>) {
    let fields = dserror::fields().into_iter().map(|(name, ty, default)| ClassField {
        param: Param {
            name: name.to_owned(),
            span: Span::NOWHERE,
            ty: Some(ty),
            default: default.map(Default::Constant),
            keyword_only: false,
            reads: false,
            positional_only: false,
        },
        init: true,
    });
    let mut class = Class::new(&WRITTEN);
    class.kind = ClassKind::Data;
    class.frozen = true;
    class.fields = fields.collect();
    class.completed = true;
    let id = program.types.add_class(dserror::class());
    class.ty = Some(program.types.intern(Type::Class(id)));
    program.classes.push(class);
}
