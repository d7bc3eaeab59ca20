//! The tree that parsers make: small nodes with spans, neutral enough for both source languages. It says what was written,
//! not what it means; constructs that no checker of ours accepts are kept as `Unsupported` with their name, so that the
//! message can say what stands there.

use crate::source::Span;

/// An identifier and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The identifier.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer literal; too large ones are kept at `i128::MAX`.
    Int(i128),
    /// A float literal.
    Float(f64),
    /// A text literal.
    Str(String),
    /// A bytes literal.
    Bytes(Vec<u8>),
    /// An f-string.
    Format(Vec<FormatPart>),
    /// An identifier.
    Name(String),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `(a, b)`.
    Tuple(Vec<Expr>),
    /// `{k: v}`; an entry without a key is `**v`.
    Dict(Vec<(Option<Expr>, Expr)>),
    /// `{a, b}`.
    Set(Vec<Expr>),
    /// `*a`, in a display or as a target.
    Starred(Box<Expr>),
    /// `-a`.
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `a and b and c` (true) or `a or b or c` (false).
    Logic(bool, Vec<Expr>),
    /// `a < b <= c`.
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    /// `then if test else otherwise`.
    If {
        /// The condition.
        test: Box<Expr>,
        /// Its value where the condition holds.
        then: Box<Expr>,
        /// Its value otherwise.
        otherwise: Box<Expr>,
    },
    /// `f(a, k=b)`.
    Call(Box<Expr>, Vec<Argument>),
    /// `a.name`.
    Attribute(Box<Expr>, Name),
    /// `a[b]`.
    Index(Box<Expr>, Box<Expr>),
    /// `low:high:step`, only inside an index.
    Slice(Option<Box<Expr>>, Option<Box<Expr>>, Option<Box<Expr>>),
    /// `await a`.
    Await(Box<Expr>),
    /// `name := a`.
    Walrus(Name, Box<Expr>),
    /// A comprehension.
    Comprehension(Box<Comprehension>),
    /// `lambda a, b: value`.
    Lambda(Box<Lambda>),
    /// A construct that is outside the language, by name.
    Unsupported(&'static str),
}

/// `lambda parameters: value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambda {
    /// Its parameters, without types.
    pub params: Vec<Param>,
    /// What it gives.
    pub value: Expr,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its keyword, if it has one.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// A part of an f-string.
#[derive(Clone, Debug, PartialEq)]
pub enum FormatPart {
    /// Text as it stands.
    Text(String),
    /// `{value!conversion:spec}`.
    Value {
        /// What is formatted.
        value: Expr,
        /// `r`, `s` or `a`, if given.
        conversion: Option<char>,
        /// The format specification; itself made of parts.
        spec: Vec<FormatPart>,
    },
}

/// What a comprehension makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// `[…]`.
    List,
    /// `{…: …}`.
    Dict,
    /// `{…}`.
    Set,
    /// `(…)`.
    Generator,
}

/// `[element for target in iterable if condition]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    /// What it makes.
    pub makes: Makes,
    /// The element, or the key of a dict.
    pub element: Expr,
    /// The value of a dict.
    pub value: Option<Expr>,
    /// Its `for` clauses, outermost first.
    pub clauses: Vec<Clause>,
}

/// One `for` of a comprehension.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// What is assigned.
    pub target: Expr,
    /// What is iterated over.
    pub iterable: Expr,
    /// Its conditions.
    pub conditions: Vec<Expr>,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`.
    Minus,
    /// `+`.
    Plus,
    /// `~`.
    Invert,
    /// `not`.
    Not,
}

macro_rules! binary_ops {
    ($($(#[doc = $doc:literal])* $name:ident $sign:literal;)*) => {
        /// Binary operators.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum BinaryOp {
            $($(#[doc = $doc])* $name,)*
        }

        impl BinaryOp {
            /// As it is written.
            pub fn sign(self) -> &'static str {
                match self { $(BinaryOp::$name => $sign,)* }
            }
        }
    };
}

binary_ops! {
    /// Sum.
    Add "+";
    /// Difference.
    Sub "-";
    /// Product.
    Mul "*";
    /// Quotient.
    Div "/";
    /// Rounded quotient.
    FloorDiv "//";
    /// Remainder.
    Mod "%";
    /// Power.
    Pow "**";
    /// Matrix product.
    MatMul "@";
    /// Bitwise and.
    BitAnd "&";
    /// Bitwise or.
    BitOr "|";
    /// Bitwise exclusive or.
    BitXor "^";
    /// Shift to the left.
    ShiftLeft "<<";
    /// Shift to the right.
    ShiftRight ">>";
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// `is`.
    Is,
    /// `is not`.
    IsNot,
    /// `in`.
    In,
    /// `not in`.
    NotIn,
}

impl CompareOp {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
            CompareOp::Is => "is",
            CompareOp::IsNot => "is not",
            CompareOp::In => "in",
            CompareOp::NotIn => "not in",
        }
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// An expression for its effect.
    Expr(Expr),
    /// `a = b = value`.
    Assign(Vec<Expr>, Expr),
    /// `a: T = value` or `a: T`.
    Declare {
        /// What is declared.
        target: Expr,
        /// Its type as written.
        annotation: Expr,
        /// Its value.
        value: Option<Expr>,
    },
    /// `a += value`.
    Augment(Expr, BinaryOp, Expr),
    /// `if`, `elif`, `else`.
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// `while … else`.
    While(Expr, Vec<Stmt>, Vec<Stmt>),
    /// `for … in … else`.
    For {
        /// Whether it is an `async for`.
        is_async: bool,
        /// What is assigned on each turn.
        target: Expr,
        /// What is iterated over.
        iterable: Expr,
        /// The body.
        body: Vec<Stmt>,
        /// The `else` of the loop.
        otherwise: Vec<Stmt>,
    },
    /// `return value`.
    Return(Option<Expr>),
    /// `pass`.
    Pass,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `assert test, message`.
    Assert(Expr, Option<Expr>),
    /// `raise exception`.
    Raise(Option<Expr>),
    /// `del a, b`.
    Delete(Vec<Expr>),
    /// `match subject: case …`.
    Match(Expr, Vec<MatchCase>),
    /// A function definition.
    Function(Box<Function>),
    /// A class definition.
    Class(Box<Class>),
    /// `import a.b as c`, `from a import b as c`.
    Import(Vec<Import>),
    /// `type Name = value`.
    TypeAlias(Name, Expr),
    /// A construct that is outside the language, by name.
    Unsupported(&'static str),
}

/// A `case` of a `match`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchCase {
    /// Its pattern.
    pub pattern: Pattern,
    /// The condition after `if`.
    pub guard: Option<Expr>,
    /// Its body.
    pub body: Vec<Stmt>,
    /// Its place.
    pub span: Span,
}

/// A pattern of a `case`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: PatternKind,
}

/// The kinds of patterns.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// `_`.
    Any,
    /// `name`, or `pattern as name`.
    Capture(Option<Box<Pattern>>, Name),
    /// A literal or a dotted name.
    Value(Expr),
    /// `a | b`.
    Or(Vec<Pattern>),
    /// `[a, *rest, b]` or `(a, b)`.
    Sequence(Vec<Pattern>),
    /// `*rest` or `*_` in a sequence.
    Star(Option<Name>),
    /// `{"key": pattern, **rest}`.
    Mapping(Vec<(Expr, Pattern)>, Option<Name>),
    /// `Class(pattern, field=pattern)`.
    Class(Box<Expr>, Vec<Pattern>, Vec<(Name, Pattern)>),
    /// A construct that is outside the language, by name.
    Unsupported(&'static str),
}

/// A function definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// Its decorators.
    pub decorators: Vec<Expr>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its result type as written.
    pub ret: Option<Expr>,
    /// Its body, or why the body could not be read.
    pub body: Result<Vec<Stmt>, Unreadable>,
    /// What its signature has that is outside the language.
    pub unsupported: Vec<(Span, &'static str)>,
    /// The whole definition with its decorators.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type as written.
    pub annotation: Option<Expr>,
    /// Its default.
    pub default: Option<Expr>,
    /// Whether it can be given by keyword only.
    pub keyword_only: bool,
    /// Whether it can be given by position only.
    pub positional_only: bool,
}

/// A class definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name.
    pub name: Name,
    /// Its decorators.
    pub decorators: Vec<Expr>,
    /// Its base classes (and metaclass).
    pub bases: Vec<Expr>,
    /// Its body.
    pub body: Vec<Stmt>,
    /// The whole definition with its decorators.
    pub span: Span,
}

/// One name that an import binds.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The module: `a.b`.
    pub module: String,
    /// The member of it for `from … import member`; `*` for all.
    pub member: Option<String>,
    /// The name that is bound.
    pub binds: String,
    /// Its place.
    pub span: Span,
}

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// Where reading stopped.
    pub span: Span,
    /// What is wrong there.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Which kind of mistake.
    pub code: crate::diag::Code,
}
