//! Literals of every type, with the values at which mistakes live: integers near the ends of 64 bits, negative zero,
//! infinities, text outside of ASCII, empty collections.

use super::Generator;
use super::types::is_vague;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Type};

const TEXTS: [&str; 26] = [
    "\"\"",
    "\"a\"",
    "\"abc\"",
    "\"héllo\"",
    "\"a,b,,c\"",
    "\" x  y \"",
    "\"12\"",
    "\"-7\"",
    "\"ÄÖß\"",
    "\"中文字\"",
    "\"😀\"",
    "\"\\n\"",
    "\"a\\tb\\n\"",
    "\"it's\"",
    "'\"'",
    "\"\\\\\"",
    "\"\\x00\\x7f\"",
    "\"aAbB\"",
    "\"ﬁx\"",
    "\"Σας\"",
    "\"e\\u0301\"",
    "\"0x1f\"",
    "\"1.5\"",
    "\"xyzzyxyzzy\"",
    "\"ǆ\"",
    "\"\\u2028\"",
];
const BYTES: [&str; 8] =
    ["b\"\"", "b\"a\"", "b\"ab\"", "b\"\\x00\\xff\"", "b\"a b\"", "b\"\\xc3\\xa9\"", "b\" x,y \"", "b\"\\n\\r'\""];
const BIG: [&str; 14] = [
    "9223372036854775807",
    "(-9223372036854775808)",
    "9223372036854775806",
    "(-9223372036854775807)",
    "4611686018427387904",
    "4294967296",
    "(-4294967297)",
    "2147483648",
    "9007199254740993",
    "3037000500",
    "1000003",
    "256",
    "64",
    "63",
];
const TAME: [&str; 14] = [
    "0.0",
    "1.0",
    "0.5",
    "2.5",
    "(-1.5)",
    "0.1",
    "3.14159",
    "100.0",
    "1e-3",
    "(-0.0)",
    "123456.789",
    "1e15",
    "0.3333",
    "(-7.25)",
];
const WILD: [&str; 10] = [
    "math.inf",
    "float(\"nan\")",
    "float(\"-inf\")",
    "1e308",
    "5e-324",
    "(-1e308)",
    "1e22",
    "1.7976931348623157e308",
    "math.nan",
    "9007199254740993.0",
];

impl Generator<'_> {
    pub fn tame_float(&mut self) -> String {
        self.c.text(&TAME).to_owned()
    }

    pub fn small_int(&mut self) -> String {
        match self.c.below(12) {
            n @ 0..=7 => n.to_string(),
            8 => "10".to_owned(),
            9 => "(-1)".to_owned(),
            10 => "(-3)".to_owned(),
            _ => "100".to_owned(),
        }
    }

    /// A literal; `known` tells whether its type is known where it stands, so that it may be empty.
    pub fn literal(&mut self, id: TypeId, depth: usize, known: bool) -> String {
        if !known && is_vague(&self.types, id) {
            let value = self.literal(id, depth, true);
            return format!("{}({value})", self.identity(id));
        }
        match self.types.get(id).clone() {
            Type::None => "None".to_owned(),
            Type::Bool => self.c.text(&["False", "True"]).to_owned(),
            Type::Int if self.c.chance(8) => self.c.text(&BIG).to_owned(),
            Type::Int => self.small_int(),
            Type::Float if self.profile.wild_floats && self.c.chance(20) => self.c.text(&WILD).to_owned(),
            Type::Float => self.tame_float(),
            Type::Str => self.c.text(&TEXTS).to_owned(),
            Type::Bytes => self.c.text(&BYTES).to_owned(),
            Type::List(element) => {
                let least = usize::from(!known);
                let most = if depth == 0 { 1 } else { 4 };
                let count = least + self.c.below(most + 1 - least);
                let parts: Vec<String> = (0..count).map(|_| self.part(element, depth, known)).collect();
                format!("[{}]", parts.join(", "))
            }
            Type::Dict(key, value) => {
                let least = usize::from(!known);
                let most = if depth == 0 { 1 } else { 3 };
                let count = least + self.c.below(most + 1 - least);
                let parts: Vec<String> = (0..count)
                    .map(|_| {
                        let key = self.part(key, depth, known);
                        format!("{key}: {}", self.part(value, depth, known))
                    })
                    .collect();
                format!("{{{}}}", parts.join(", "))
            }
            // In parentheses it would be one of known length where nothing says else.
            Type::TupleOf(element) => {
                let parts: Vec<String> = (0..=self.c.below(3)).map(|_| self.part(element, depth, known)).collect();
                format!("tuple([{}])", parts.join(", "))
            }
            Type::Set(element) | Type::FrozenSet(element) => {
                let frozen = matches!(self.types.get(id), Type::FrozenSet(_));
                let least = usize::from(!known);
                // What is wanted of a call of `frozenset` says nothing of its argument.
                let is_known = known && !frozen;
                let parts: Vec<String> =
                    (0..least + self.c.below(4 - least)).map(|_| self.part(element, depth, is_known)).collect();
                match (frozen, parts.is_empty()) {
                    (false, true) => "set()".to_owned(),
                    (true, true) => "frozenset()".to_owned(),
                    (false, false) => format!("{{{}}}", parts.join(", ")),
                    (true, false) => format!("frozenset({{{}}})", parts.join(", ")),
                }
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.into_iter().map(|p| self.part(p, depth, known)).collect();
                format!("({},)", parts.join(", "))
            }
            Type::Class(class) if self.types.enumeration(class).is_some() => self.member(class),
            Type::Class(class) => {
                let class = self.types.class(class).clone();
                let mut by_name = false;
                let parts: Vec<String> = class
                    .fields
                    .iter()
                    .map(|f| {
                        by_name |= self.c.chance(10);
                        // The field that holds others of its own class ends the line.
                        let value = if f.name == "kids" { "[]".to_owned() } else { self.part(f.ty, depth, true) };
                        if by_name { format!("{}={value}", f.name) } else { value }
                    })
                    .collect();
                format!("{}({})", class.name, parts.join(", "))
            }
            Type::Queue(_) => {
                let size = match self.c.below(6) {
                    0 | 1 => "",
                    2 => "0",
                    3 => "1",
                    4 => "2",
                    _ => "-1",
                };
                format!("{}({size})", super::spelled(&self.types, id))
            }
            Type::Union(members) => {
                let member = members[self.c.below(members.len())];
                self.part(member, depth, known)
            }
            Type::Lock => "dpslio.Lock()".to_owned(),
            Type::WaitGroup => "dpslio.WaitGroup()".to_owned(),
        }
    }

    fn part(&mut self, id: TypeId, depth: usize, known: bool) -> String {
        match depth {
            0 => self.leaf(id, known),
            _ => self.expr(id, depth - 1, known),
        }
    }

    /// A variable or constant of this type, or else a literal.
    pub fn leaf(&mut self, id: TypeId, known: bool) -> String {
        if self.c.chance(65)
            && let Some(name) = self.variable(id)
        {
            return name;
        }
        self.literal(id, 0, known)
    }

    pub fn variable(&mut self, id: TypeId) -> Option<String> {
        let all = self.body.vars.iter().chain(&self.constants);
        let names: Vec<&str> = all.filter(|v| v.ty == id).map(|v| v.name.as_str()).collect();
        self.c.pick(&names).map(|n| (*n).to_owned())
    }

    /// A small integer that nothing evaluates twice: a variable or a literal.
    pub fn index(&mut self) -> String {
        if self.c.chance(40) { self.leaf(ty::INT, true) } else { self.small_int() }
    }
}
