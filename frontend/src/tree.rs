//! The checked tree: what a program means. Every expression has its type, every name its variable, every operator its
//! instruction or builtin, every conversion is written out; compound constructs of the source are already taken apart into
//! few simple ones. Lowering makes IR of it without asking anything more.

use crate::source::Span;
use deepslate_ir::builtins::Builtin;
use deepslate_ir::durable::Durable;
use deepslate_ir::entity::TypeId;
use deepslate_ir::module::Imm;
use deepslate_ir::ops::Op;
use deepslate_ir::trap::TrapKind;

/// A variable of one function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct VarId(pub u32);

/// What a variable is.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Its name in the source; none for one that the checker made.
    pub name: Option<String>,
    pub ty: TypeId,
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub ty: TypeId,
    pub span: Span,
    pub kind: ExprKind,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    Var(VarId),
    /// An instruction on its operands, evaluated in order. One without a result stands for `None`.
    Op(Op, Vec<Expr>, Imm),
    Builtin(Builtin, Vec<Expr>),
    /// A call of the function with this index in the program's list, compiled or of the host.
    Call(usize, Vec<Expr>),
    /// A durable call of the engine's own.
    Durable(Durable, Vec<Expr>),
    /// Starts a task that runs a function.
    Spawn(usize, Vec<Expr>),
    /// `left and right` (true) or `left or right` of two truth values.
    Logic(bool, Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// Statements, then a value.
    Seq(Vec<Stmt>, Box<Expr>),
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) struct Stmt {
    pub span: Span,
    pub kind: StmtKind,
}

/// The kinds of statements.
#[derive(Clone, Debug)]
pub(crate) enum StmtKind {
    Assign(VarId, Expr),
    Do(Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    Loop(Box<Loop>),
    Break,
    Continue,
    Return(Expr),
    Fail(TrapKind, Expr),
    Select(Vec<SelectCase>),
}

/// A loop: while the test holds, the body and then the step; `continue` goes on at the step. Where the test fails,
/// `otherwise` runs; `break` leaves it out.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    pub test: Expr,
    pub body: Vec<Stmt>,
    pub step: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
}

/// A case of a select.
#[derive(Clone, Debug)]
pub(crate) struct SelectCase {
    pub kind: SelectKind,
    pub body: Vec<Stmt>,
}

/// What a case waits for.
#[derive(Clone, Debug)]
pub(crate) enum SelectKind {
    /// An element of a queue, and the variable that takes it.
    Get(Expr, Option<VarId>),
    /// Room for an element in a queue.
    Put(Expr, Expr),
    /// Nothing: taken when no other is ready.
    Default,
}

/// A function, checked.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// Its variables; the parameters first.
    pub vars: Vec<Variable>,
    pub stmts: Vec<Stmt>,
}

impl Expr {
    /// Whether it is a constant: evaluating it later or twice makes no difference.
    pub fn is_simple(&self) -> bool {
        match self.kind {
            ExprKind::None
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bytes(_) => true,
            ExprKind::Var(_)
            | ExprKind::Op(..)
            | ExprKind::Builtin(..)
            | ExprKind::Call(..)
            | ExprKind::Durable(..)
            | ExprKind::Spawn(..)
            | ExprKind::Logic(..)
            | ExprKind::If(..)
            | ExprKind::Seq(..) => false,
        }
    }
}
