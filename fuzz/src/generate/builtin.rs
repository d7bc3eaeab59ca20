//! Calls of builtins, chosen from the table of the IR by what they return; types that a signature leaves open are chosen at
//! random. A few parameters get values of which the builtin can make something.

use super::types::has_sync;
use super::{Generator, Kind};
use deepslate_ir::builtins::{Builtin, Spelling};
use deepslate_ir::entity::TypeId;
use deepslate_ir::pattern::{Bindings, Pattern};
use deepslate_ir::types::{self as ty, Type};

/// The variables of a pattern: index, and whether its type must have an order.
fn variables(pattern: &Pattern, out: &mut Vec<(u8, bool)>) {
    match pattern {
        Pattern::Is(_) => {}
        Pattern::Var(index) => out.push((*index, false)),
        Pattern::Ordered(index) => out.push((*index, true)),
        Pattern::Hashable(index) => out.push((*index, false)),
        Pattern::List(e) | Pattern::Queue(e) | Pattern::TupleOf(e) => variables(e, out),
        Pattern::Set(e) | Pattern::FrozenSet(e) => variables(e, out),
        // What it is bound to follows from its element.
        Pattern::AnySet(_, e) => variables(e, out),
        Pattern::Dict(a, b) | Pattern::Pair(a, b) => {
            variables(a, out);
            variables(b, out);
        }
        Pattern::Triple(a, b, c) => [a, b, c].into_iter().for_each(|p| variables(p, out)),
    }
}

/// Builtins that mostly trap where nothing is known of their arguments.
fn traps_mostly(builtin: Builtin) -> bool {
    use Builtin as B;
    matches!(
        builtin,
        B::DictPop
            | B::DictPopItem
            | B::ListPop
            | B::ListPopAt
            | B::ListRemove
            | B::ListIndex
            | B::ListIndexFrom
            | B::ListIndexIn
            | B::StrIndexOf
            | B::StrIndexOfFrom
            | B::BytesIndexOf
    )
}

/// Builtins whose results do not tell in which order a set has its elements, wherever sets are in their arguments.
fn hides_order(builtin: Builtin) -> bool {
    let name = match builtin.python() {
        Spelling::Function(name) | Spelling::Method(name) => name,
        Spelling::Syntax => return false,
    };
    // Of what takes an element or a value apart from the others, nothing shows what is in it.
    !matches!(
        name,
        "str" | "repr" | "ascii" | "format" | "print" | "list" | "tuple" | "sum" | "join" | "pop" | "popitem" | "dict"
    ) && !matches!(name, "enumerate" | "zip" | "iter" | "next" | "reversed" | "fsum" | "prod")
}

/// The variable that the table uses for keys of dicts.
const KEY: u8 = 2;

impl Generator<'_> {
    /// A call that gives this type.
    pub fn builtin(&mut self, id: TypeId, depth: usize) -> Option<String> {
        let all: Vec<(Builtin, Bindings)> = Builtin::ALL
            .iter()
            .filter(|b| **b != Builtin::Print && b.python() != Spelling::Syntax)
            // The order of a set is not CPython's, so nothing may show it.
            .filter(|b| !matches!(b, Builtin::ListOfSet | Builtin::SetPop))
            // Their tables hold texts where CPython's hold code points and `None`.
            .filter(|b| !matches!(b, Builtin::StrMakeTrans | Builtin::StrMakeTransRemove | Builtin::StrMakeTransDict))
            .filter_map(|b| {
                let mut bound = Bindings::default();
                // What returns whatever it is given is chosen as often as the others together else.
                b.ret().matches(&self.types, id, &mut bound).then_some((*b, bound))
            })
            .collect();
        let (builtin, bound) = *self.c.pick(&all)?;
        if traps_mostly(builtin) && self.c.chance(90) {
            return None;
        }
        self.call_builtin(builtin, bound, depth, None)
    }

    /// A method that changes what a variable holds, and gives nothing.
    pub fn change(&mut self, depth: usize) -> Option<String> {
        let vars: Vec<_> = self
            .body
            .vars
            .iter()
            .filter(|v| matches!(self.types.get(v.ty), Type::List(_) | Type::Dict(..) | Type::Set(_)))
            .map(|v| (v.name.clone(), v.ty))
            .collect();
        let (name, id) = self.c.pick(&vars)?.clone();
        let all: Vec<(Builtin, Bindings)> = Builtin::ALL
            .iter()
            .filter(|b| matches!(b.python(), Spelling::Method(_)) && **b != Builtin::SetPop)
            .filter_map(|b| {
                let mut bound = Bindings::default();
                let (_, receiver) = b.params().first()?;
                let fits = receiver.matches(&self.types, id, &mut bound);
                let changes = b.effect().has(deepslate_ir::ops::WRITES);
                (fits && changes).then_some((*b, bound))
            })
            .collect();
        let (builtin, bound) = *self.c.pick(&all)?;
        if matches!(builtin, Builtin::ListRemove | Builtin::SetRemove | Builtin::DictPop | Builtin::ListPopAt)
            && self.c.chance(80)
        {
            return None;
        }
        let method = match builtin.python() {
            Spelling::Method(name) => name,
            Spelling::Function(_) | Spelling::Syntax => return None,
        };
        // Mostly there is something to take out.
        let guarded = matches!(method, "pop" | "popitem" | "clear") && self.c.chance(85);
        let call = self.call_builtin(builtin, bound, depth, Some(&name))?;
        Some(match (guarded, method, builtin) {
            (true, "clear", _) => format!("if len({name}) > 5: {call}"),
            (true, _, Builtin::DictPop) => call,
            (true, ..) => format!("if {name}: {call}"),
            _ => call,
        })
    }

    fn call_builtin(
        &mut self,
        builtin: Builtin,
        mut bound: Bindings,
        depth: usize,
        receiver: Option<&str>,
    ) -> Option<String> {
        let mut open = Vec::new();
        builtin.params().iter().for_each(|(_, p)| variables(p, &mut open));
        variables(&builtin.ret(), &mut open);
        // An element of a set must be able to be a key.
        let of_sets = builtin.params().iter().map(|(_, p)| p).chain([&builtin.ret()]).any(|p| {
            matches!(p, Pattern::Set(_) | Pattern::FrozenSet(_) | Pattern::AnySet(..))
                || matches!(p, Pattern::List(Pattern::Hashable(_)))
        });
        // A variable that must have an order somewhere must have it everywhere.
        for (index, _) in open.clone() {
            let ordered = open.iter().any(|(i, o)| *i == index && *o);
            let probe = Pattern::Var(index);
            if let Some(id) = probe.resolve(&mut self.types, &bound) {
                if (index == KEY || of_sets) && !self.types.is_hashable(id) {
                    return None;
                }
                let compared = matches!(
                    builtin,
                    Builtin::ListRemove
                        | Builtin::ListCount
                        | Builtin::ListIndex
                        | Builtin::ListIndexFrom
                        | Builtin::ListIndexIn
                );
                let in_list = self.types.intern(Type::List(id));
                let agrees = (!ordered || self.order_agrees(id) && self.equality_agrees(in_list))
                    && (!compared || self.equality_agrees(in_list));
                if !agrees {
                    return None;
                }
                continue;
            }
            let id = if index == KEY || of_sets { self.key_type(1) } else { self.some_type() };
            let id = if has_sync(&self.types, id) { ty::INT } else { id };
            let in_list = self.types.intern(Type::List(id));
            let id = if ordered && !(self.order_agrees(id) && self.equality_agrees(in_list)) { ty::INT } else { id };
            if !probe.matches(&self.types, id, &mut bound) {
                return None;
            }
        }
        if self.body.kind == Kind::Pure && builtin.effect().has(deepslate_ir::ops::WRITES) {
            return None;
        }
        // The order of a set shows in what most builtins make of it.
        let params: Vec<TypeId> =
            builtin.params().iter().filter_map(|(_, p)| p.resolve(&mut self.types, &bound)).collect();
        if !params.iter().all(|p| self.can_show(*p)) && !hides_order(builtin) {
            return None;
        }
        let mut args = Vec::new();
        for (index, (name, pattern)) in builtin.params().iter().enumerate() {
            let id = match pattern.resolve(&mut self.types, &bound) {
                Some(id) => id,
                None => self.set_for(pattern, &mut bound)?,
            };
            let value = match (index, receiver) {
                (0, Some(receiver)) => receiver.to_owned(),
                _ => self.argument(builtin, index, name, id, depth),
            };
            let by_name = matches!(*name, "reverse" | "signed" | "rel_tol" | "abs_tol")
                || matches!((builtin, *name), (Builtin::MinListOr | Builtin::MaxListOr, "default"));
            args.push(if by_name { format!("{name}={value}") } else { value });
        }
        let call = match builtin.python() {
            Spelling::Function(name) => format!("{name}({})", args.join(", ")),
            Spelling::Method(name) => {
                let of = args.remove(0);
                let of = if of.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !of.starts_with(|c: char| c.is_ascii_digit())
                {
                    of
                } else {
                    format!("({of})")
                };
                format!("{of}.{name}({})", args.join(", "))
            }
            Spelling::Syntax => return None,
        };
        // What CPython gives as a view or an iterator is a list here.
        let lazy = matches!(
            builtin,
            Builtin::Reversed
                | Builtin::Range
                | Builtin::RangeFrom
                | Builtin::RangeStep
                | Builtin::Zip
                | Builtin::Enumerate
                | Builtin::EnumerateFrom
                | Builtin::DictKeys
                | Builtin::DictValues
                | Builtin::DictItems
        );
        Some(if lazy && (self.profile.python || self.c.chance(50)) { format!("list({call})") } else { call })
    }

    /// The type of a set of either kind for a parameter, whose element is bound.
    fn set_for(&mut self, pattern: &Pattern, bound: &mut Bindings) -> Option<TypeId> {
        let Pattern::AnySet(_, element) = pattern else { return None };
        let element = element.resolve(&mut self.types, bound).filter(|e| self.types.is_hashable(*e))?;
        let set = if self.c.chance(70) { Type::Set(element) } else { Type::FrozenSet(element) };
        let set = self.types.intern(set);
        pattern.matches(&self.types, set, bound).then_some(set)
    }

    fn argument(&mut self, builtin: Builtin, index: usize, name: &str, id: TypeId, depth: usize) -> String {
        use Builtin as B;
        let int = |g: &mut Self| g.expr(ty::INT, depth, true);
        let sane = self.c.chance(88);
        match (builtin, index) {
            (B::Ord, 0) if sane => format!("({} + \"ß\")[0]", self.expr(ty::STR, depth, true)),
            (B::Chr, 0) if sane => format!("(({}) % 1200)", int(self)),
            (B::IntOfStr, 0) if sane => format!("str({})", int(self)),
            (B::FloatOfStr, 0) if sane => format!("str({})", self.expr(ty::FLOAT, depth, true)),
            (B::IntOfStrBase, 0) if sane => format!("hex({})", int(self)),
            (B::IntOfStrBase, 1) if sane => "16".to_owned(),
            _ if name == "encoding" => self.c.text(&["\"utf-8\"", "\"latin-1\"", "\"ascii\"", "\"utf8\""]).to_owned(),
            (B::StrEncodeErrors, 2) => {
                let known =
                    ["\"strict\"", "\"ignore\"", "\"replace\"", "\"backslashreplace\"", "\"xmlcharrefreplace\""];
                self.c.text(&known).to_owned()
            }
            (B::BytesDecodeErrors, 2) => {
                self.c.text(&["\"strict\"", "\"ignore\"", "\"replace\"", "\"backslashreplace\""]).to_owned()
            }
            (B::BytesDecode, 0) if sane => format!("{}.encode()", self.c.text(&["\"é\"", "\"\"", "\"a b\"", "\"中\""])),
            (B::BytesOfInts, 0) if sane => format!("[x & 255 for x in {}]", self.expr(id, depth, false)),
            (B::BytesOfCount, 0) => format!("(({}) % 9)", int(self)),
            (B::BytesContainsInt, 1) if sane => format!("(({}) & 255)", int(self)),
            (B::FormatInt, 1) => {
                self.c.text(&["\"05\"", "\"x\"", "\",\"", "\"+d\"", "\"\"", "\">9_b\"", "\".2f\"", "\"s\""]).to_owned()
            }
            (B::FormatFloat, 1) => {
                self.c.text(&["\".2f\"", "\"g\"", "\"\"", "\"012.3e\"", "\",.1f\"", "\"%\"", "\"d\""]).to_owned()
            }
            (B::FormatBool, 1) => self.c.text(&["\"\"", "\"5\"", "\"d\"", "\"s\""]).to_owned(),
            (B::FormatStr, 1) => self.c.text(&["\"\"", "\"5\"", "\"^7\"", "\"é<6.2\"", "\"d\""]).to_owned(),
            (B::Sqrt | B::Log | B::Log2 | B::Log10, 0) | (B::LogBase, _) if sane => {
                format!("(abs({}) + 0.125)", self.expr(ty::FLOAT, depth, true))
            }
            (B::Asin | B::Acos, 0) if sane => format!("math.sin({})", self.tame_float()),
            (B::Exp | B::Sinh | B::Cosh, 0) if sane => {
                self.tame_float().replace("123456.789", "9.5").replace("1e15", "2.0")
            }
            (B::PowInt, _) | (B::PowFloat | B::MathPow, 1) if sane => {
                if id == ty::INT {
                    self.c.below(6).to_string()
                } else {
                    self.c.text(&["2.0", "0.0", "3.0", "1.0"]).to_owned()
                }
            }
            (B::PowMod, 1) if sane => format!("(({}) & 63)", int(self)),
            (B::PowMod, 2) if sane => self.c.text(&["7", "97", "(-5)", "1000003"]).to_owned(),
            (B::Isqrt, 0) if sane => format!("(({}) & 65535)", int(self)),
            (B::RoundFloatDigits | B::RoundIntDigits, 1) => {
                self.c.text(&["0", "1", "2", "(-1)", "(-2)", "5", "(-20)", "400"]).to_owned()
            }
            (B::Range | B::RangeFrom | B::RangeStep, 0 | 1) => format!("(({}) % 6)", int(self)),
            (B::RangeStep, 2) => self.c.text(&["1", "2", "(-1)", "(-3)"]).to_owned(),
            (B::SumIntsFrom, 1) | (B::EnumerateFrom, 1) => self.small_int(),
            (B::Factorial, 0) => format!("(({}) % 24)", int(self)),
            (B::Comb | B::Perm, _) => format!("(({}) % 20)", int(self)),
            _ if name == "byteorder" => self.c.text(&["\"big\"", "\"little\""]).to_owned(),
            _ if matches!(name, "length" | "tabsize") => format!("(({}) % 11)", int(self)),
            _ if matches!(name, "rel_tol" | "abs_tol") => self.c.text(&["0.0", "0.1", "1e-9"]).to_owned(),
            (B::BytesFromHex, 0) if sane => format!("{}.hex()", self.expr(ty::BYTES, depth, true)),
            (B::Log1p | B::Expm1, 0) => self.c.text(&["0.5", "1e-9", "(-0.25)", "3.0"]).to_owned(),
            _ if name == "width" => format!("(({}) % 12)", int(self)),
            _ if name == "fillchar" && sane => self.c.text(&["\"*\"", "\"é\"", "\"0\"", "\"😀\""]).to_owned(),
            _ if matches!(name, "sep" | "separator") && id == ty::STR && sane => {
                self.c.text(&["\",\"", "\" \"", "\"a\"", "\"zz\"", "\"é\""]).to_owned()
            }
            _ if name == "sep" && id == ty::BYTES && sane => self.c.text(&["b\" \"", "b\",\"", "b\"a\""]).to_owned(),
            (B::DivmodInt | B::DivmodFloat, 1) if sane => {
                format!(
                    "({} or {})",
                    self.expr(id, depth, true),
                    self.c.text(if id == ty::INT { &["3", "(-4)"] } else { &["0.5", "(-2.5)"] })
                )
            }
            // CPython's product and sum of nothing are ints.
            (B::ProdFloats, 0) => format!("({} + [1.0])", self.expr(id, depth, false)),
            (B::SumFloats, 0) => format!("({} + [0.0])", self.expr(id, depth, false)),
            (B::MinList | B::MaxList, 0) if sane => {
                let Type::List(e) = *self.types.get(id) else { return self.leaf(id, false) };
                format!("({} + [{}])", self.expr(id, depth, false), self.leaf(e, false))
            }
            (
                B::ListRemove
                | B::ListIndex
                | B::ListIndexFrom
                | B::ListIndexIn
                | B::StrIndexOf
                | B::StrIndexOfFrom
                | B::BytesIndexOf,
                0,
            ) if sane && index == 0 => self.expr(id, depth, false),
            _ => self.expr(id, depth, false),
        }
    }
}
