//! The table of diagnostics: each code once, with its summary. Every code has a page `docs/errors/<code>.md` with its cause,
//! an example and what to use instead; a test holds the two together. Codes are never reused for something else.

macro_rules! codes {
    ($($name:ident $code:literal $summary:literal;)*) => {
        /// The code of a diagnostic.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $summary] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// Its number as people see it: `E0103`.
            pub const fn text(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// What it stands for, in a few words.
            pub const fn summary(self) -> &'static str {
                match self { $(Code::$name => $summary,)* }
            }

            /// The code with this number.
            pub fn from_text(text: &str) -> Option<Code> {
                match text { $($code => Some(Code::$name),)* _ => None }
            }
        }
    };
}

codes! {
    // Reading the text.
    Syntax "E0101" "the text can't be read as Python";
    NestedQuotes "E0102" "an f-string with the same quotes inside";
    Unsupported "E0103" "a construct outside the language of flows";
    NotYet "E0104" "a construct that is not supported yet";
    TooDeep "E0105" "code nested too deeply";
    TooLarge "E0106" "a source text that is too large";

    // Names.
    UnknownName "E0201" "a name that is not defined";
    Unassigned "E0202" "a variable that has no value yet";
    DefinedTwice "E0203" "two definitions of one name";
    UnknownMember "E0204" "an attribute, field or method that does not exist";
    NotInFlows "E0205" "a name that exists in the file but can't be used in a flow";
    NotConstant "E0206" "a module variable that is no constant";

    // Types.
    Mismatch "E0301" "a value of another type than needed";
    NoAnnotation "E0302" "a parameter or field without a type";
    UnknownType "E0303" "an annotation that names no type of the language";
    Operator "E0304" "an operator that does not take these types";
    CannotInfer "E0305" "a type that can't be told from the value";
    MissingReturn "E0306" "a function that may end without its value";
    NotIterable "E0307" "a value that can't be iterated over";
    NotHashable "E0308" "a dict key type that can change";
    TypeChanges "E0309" "a declared variable is given another type";
    IntRange "E0310" "an integer that does not fit 64 bits";
    Unpack "E0311" "unpacking into a wrong number of names";
    Frozen "E0312" "an assignment to what can't change";
    Index "E0313" "a subscript that the type does not have";
    FormatSpec "E0314" "a format specification that the type does not take";

    // Calls.
    ArgumentCount "E0401" "a call with too few or too many arguments";
    ArgumentName "E0402" "a keyword argument that does not exist, or is given twice";
    NotCallable "E0403" "a call of what can't be called";
    DoesNotFit "E0404" "a call of a function that can't be compiled";
    ImpureInPure "E0405" "a pure function that is not pure";
    MissingAwait "E0406" "an operation that waits, without await";
    NeedlessAwait "E0407" "await on what does not wait";
    Decorator "E0408" "a decorator or decorator argument that is not known";
    Spawned "E0409" "create_task of what is no call of a flow";
    Select "E0410" "a select that is not written as one";

    // Statements.
    OutsideLoop "E0501" "break or continue outside a loop";
    OutsideFunction "E0502" "a statement that the place does not allow";
    ArgumentChanged "E0503" "a pure function that changes an argument";

    // The engine's own.
    Internal "E0901" "a mistake of the compiler";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}
