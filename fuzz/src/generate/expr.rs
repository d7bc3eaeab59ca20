//! Expressions of a wanted type. Each is safe to stand anywhere: whatever is not a name, a literal or a call is in
//! parentheses. Most partial operations are written so that they hold, some are not, on purpose.

use super::types::{has_sync, is_vague};
use super::{Function, Generator, Kind, Var};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Type};

enum Step {
    Index,
    Key(TypeId),
    Part(usize),
    Field(String),
}

impl Generator<'_> {
    /// An expression of this type. `known` tells whether the type is known where it stands.
    pub fn expr(&mut self, id: TypeId, depth: usize, known: bool) -> String {
        // What has a union for its type is narrowed by what it is given, of which nothing is known here.
        if is_vague(&self.types, id) && (!known || matches!(self.types.get(id), Type::Union(_))) {
            return self.exact(id, depth);
        }
        self.any_expr(id, depth, known)
    }

    /// An expression whose type is exactly this one, wherever it stands.
    fn exact(&mut self, id: TypeId, depth: usize) -> String {
        let found = match self.c.below(10) {
            0..=4 => self.variable(id),
            5 | 6 => self.place(id),
            7 if depth > 0 => self.call(id, depth - 1),
            _ => None,
        };
        found.unwrap_or_else(|| {
            let value = self.any_expr(id, depth, true);
            format!("{}({value})", self.identity(id))
        })
    }

    fn any_expr(&mut self, id: TypeId, depth: usize, known: bool) -> String {
        if depth == 0 {
            return self.leaf(id, known);
        }
        let made = match self.c.below(100) {
            0..=19 => None,
            20..=27 => Some(self.literal(id, depth - 1, known)),
            28..=42 => self.place(id),
            43..=66 => self.operator(id, depth - 1, known),
            67..=80 => self.builtin(id, depth - 1),
            81..=83 => self.choice(id, depth - 1, known),
            84..=85 => self.member_or(id, depth - 1),
            86..=91 => self.call(id, depth - 1),
            92..=93 => self.by_function(id, depth - 1),
            _ => self.comprehension(id, depth - 1, known),
        };
        match made {
            Some(text) if text.len() < 400 => text,
            _ => self.leaf(id, known),
        }
    }

    fn choice(&mut self, id: TypeId, depth: usize, known: bool) -> Option<String> {
        let (then, otherwise) = (self.expr(id, depth, known), self.expr(id, depth, known));
        Some(match self.c.below(4) {
            0 if !has_sync(&self.types, id) && id != ty::NONE => format!("({then} or {otherwise})"),
            1 if !has_sync(&self.types, id) && id != ty::NONE => format!("({then} and {otherwise})"),
            _ => {
                let test = self.expr(ty::BOOL, depth, false);
                format!("({then} if {test} else {otherwise})")
            }
        })
    }

    /// An element, field or part of what a variable holds.
    pub fn place(&mut self, id: TypeId) -> Option<String> {
        let mut found = Vec::new();
        for (index, var) in self.body.vars.iter().enumerate() {
            self.paths(index, var.ty, id, &mut Vec::new(), &mut found);
        }
        let (var, steps) = match found.len() {
            0 => return None,
            count => found.swap_remove(self.c.below(count)),
        };
        let Var { name, ty: mut at, .. } = self.body.vars[var].clone();
        let mut text = name;
        for step in steps {
            (text, at) = self.stepped(text, at, &step)?;
        }
        Some(text)
    }

    fn paths(
        &self,
        var: usize,
        at: TypeId,
        wanted: TypeId,
        steps: &mut Vec<(u8, usize)>,
        found: &mut Vec<(usize, Vec<Step>)>,
    ) {
        if at == wanted && !steps.is_empty() {
            let mut ty = self.body.vars[var].ty;
            let mut out = Vec::new();
            for (kind, index) in steps.iter() {
                let (step, next) = match (kind, self.types.get(ty)) {
                    (0, Type::List(e)) => (Step::Index, *e),
                    (1, Type::Dict(k, v)) => (Step::Key(*k), *v),
                    (2, Type::Tuple(parts)) => (Step::Part(*index), parts[*index]),
                    (_, Type::Class(c)) => {
                        let field = &self.types.class(*c).fields[*index];
                        (Step::Field(field.name.clone()), field.ty)
                    }
                    _ => return,
                };
                out.push(step);
                ty = next;
            }
            found.push((var, out));
        }
        if steps.len() == 2 {
            return;
        }
        let mut go = |kind: u8, index: usize, next: TypeId| {
            steps.push((kind, index));
            self.paths(var, next, wanted, steps, found);
            steps.pop();
        };
        match self.types.get(at) {
            Type::List(e) => go(0, 0, *e),
            Type::Dict(_, v) => go(1, 0, *v),
            Type::Tuple(parts) => parts.iter().enumerate().for_each(|(i, p)| go(2, i, *p)),
            Type::Class(c) => self.types.class(*c).fields.iter().enumerate().for_each(|(i, f)| go(3, i, f.ty)),
            _ => {}
        }
    }

    fn stepped(&mut self, text: String, at: TypeId, step: &Step) -> Option<(String, TypeId)> {
        Some(match (step, self.types.get(at).clone()) {
            (Step::Index, Type::List(e)) => {
                let index = self.index();
                if self.c.chance(12) {
                    (format!("{text}[{index}]"), e)
                } else {
                    let other = self.literal(e, 0, false);
                    (format!("({text}[{index} % len({text})] if {text} else {other})"), e)
                }
            }
            (Step::Key(k), Type::Dict(_, v)) => {
                let key = self.leaf(*k, true);
                let other = self.literal(v, 0, false);
                match self.c.below(8) {
                    0 => (format!("{text}[{key}]"), v),
                    1..=4 => (format!("{text}.get({key}, {other})"), v),
                    _ => (format!("({text}[{key}] if {key} in {text} else {other})"), v),
                }
            }
            (Step::Part(index), Type::Tuple(parts)) => {
                let shown = if self.c.chance(20) { *index as i64 - parts.len() as i64 } else { *index as i64 };
                (format!("{text}[{shown}]"), parts[*index])
            }
            (Step::Field(name), Type::Class(c)) => {
                let class = self.types.class(c);
                let field = class.fields.iter().find(|f| f.name == *name)?;
                (format!("{text}.{name}"), field.ty)
            }
            _ => return None,
        })
    }

    fn operator(&mut self, id: TypeId, depth: usize, known: bool) -> Option<String> {
        Some(match self.types.get(id).clone() {
            Type::Int => self.int_operator(depth),
            Type::Float => self.float_operator(depth),
            Type::Bool => self.test(depth),
            Type::Str => match self.c.below(6) {
                0 | 1 => format!("({} + {})", self.expr(id, depth, true), self.expr(id, depth, true)),
                2 => self.repeated(id, depth),
                3 => {
                    let text = self.expr(id, depth, true);
                    let index = self.index();
                    if self.c.chance(15) {
                        format!("({text})[{index}]")
                    } else {
                        format!("({text} + \"é\")[{index} % (len({text}) + 1)]")
                    }
                }
                4 => self.sliced(id, depth),
                _ if self.c.chance(40) => self.formatted(),
                _ => self.f_string(),
            },
            Type::Bytes => match self.c.below(3) {
                0 => format!("({} + {})", self.expr(id, depth, true), self.expr(id, depth, true)),
                1 => self.repeated(id, depth),
                _ => self.sliced(id, depth),
            },
            Type::List(_) => match self.c.below(3) {
                0 => {
                    let left = self.expr(id, depth, known);
                    format!("({left} + {})", self.expr(id, depth, true))
                }
                1 => self.repeated(id, depth),
                _ => self.sliced(id, depth),
            },
            Type::Set(_) | Type::FrozenSet(_) => {
                let sign = self.c.text(&["|", "&", "-", "^"]);
                format!("({} {sign} {})", self.expr(id, depth, known), self.expr(id, depth, false))
            }
            Type::TupleOf(_) => match self.c.below(3) {
                0 => format!("({} + {})", self.expr(id, depth, false), self.expr(id, depth, false)),
                1 => self.repeated(id, depth),
                _ => self.sliced(id, depth),
            },
            Type::Dict(..) => {
                format!("({} | {})", self.expr(id, depth, known), self.expr(id, depth, false))
            }
            _ => return None,
        })
    }

    fn repeated(&mut self, id: TypeId, depth: usize) -> String {
        let (what, count) = (self.expr(id, depth, false), self.expr(ty::INT, depth, true));
        let count = format!("({count} % 4)");
        if self.c.chance(30) { format!("({count} * {what})") } else { format!("({what} * {count})") }
    }

    fn sliced(&mut self, id: TypeId, depth: usize) -> String {
        let what = self.expr(id, depth, false);
        let bound = |g: &mut Self| if g.c.chance(60) { g.index() } else { String::new() };
        let (start, stop) = (bound(self), bound(self));
        let step = match self.c.below(6) {
            0 => ":(-1)",
            1 => ":2",
            2 => ":(-2)",
            _ => "",
        };
        format!("({what})[{start}:{stop}{step}]")
    }

    fn int_operator(&mut self, depth: usize) -> String {
        let left = self.expr(ty::INT, depth, true);
        let right_type = if self.c.chance(8) { ty::BOOL } else { ty::INT };
        let right = self.expr(right_type, depth, true);
        match self.c.below(22) {
            0..=3 => format!("({left} + {right})"),
            4..=6 => format!("({left} - {right})"),
            7 => format!("({left} * {right})"),
            8..=9 => format!("(({left} % 1009) * ({right} % 1013))"),
            10..=11 => format!("({left} // ({right} | 1))"),
            12..=13 => format!("({left} % ({right} | 1))"),
            14 => {
                let (sign, guard) = (self.c.text(&["//", "%"]), self.c.chance(50));
                if guard { format!("({left} {sign} ({right} or 7))") } else { format!("({left} {sign} {right})") }
            }
            15 => {
                let sign = self.c.text(&["&", "|", "^"]);
                format!("({left} {sign} {right})")
            }
            16 if self.c.chance(80) => format!("(({left} % 4096) << ({right} & 15))"),
            16 => format!("({left} << {right})"),
            17 if self.c.chance(85) => format!("({left} >> ({right} & 63))"),
            17 => format!("({left} >> {right})"),
            18 => format!("(({left} % 100) ** {})", self.c.below(5)),
            19 => {
                let sign = self.c.text(&["-", "~", "+"]);
                format!("({sign}{left})")
            }
            20 => {
                let what = self.expr(ty::BYTES, depth, true);
                let index = self.index();
                format!("({what} + b\"z\")[{index} % (len({what}) + 1)]")
            }
            _ => {
                let lists: Vec<String> = self
                    .body
                    .vars
                    .iter()
                    .filter(|v| {
                        matches!(self.types.get(v.ty), Type::List(_) | Type::Dict(..) | Type::Str | Type::Tuple(_))
                    })
                    .map(|v| v.name.clone())
                    .collect();
                match self.c.pick(&lists) {
                    Some(name) => format!("len({name})"),
                    None => format!("({left} - {right})"),
                }
            }
        }
    }

    fn float_operator(&mut self, depth: usize) -> String {
        let (left, right) = match self.c.below(10) {
            0 => (self.expr(ty::INT, depth, true), self.expr(ty::FLOAT, depth, true)),
            1 => (self.expr(ty::FLOAT, depth, true), self.expr(ty::INT, depth, true)),
            2 => {
                let (left, right) = (self.expr(ty::INT, depth, true), self.expr(ty::INT, depth, true));
                return format!("({left} / ({right} or 3))");
            }
            _ => (self.expr(ty::FLOAT, depth, true), self.expr(ty::FLOAT, depth, true)),
        };
        match self.c.below(12) {
            0..=2 => format!("({left} + {right})"),
            3..=4 => format!("({left} - {right})"),
            5..=6 => format!("({left} * {right})"),
            7 => format!("({left} / ({right} or 0.25))"),
            8 => format!("({left} // ({right} or 0.75))"),
            9 => format!("({left} % ({right} or 1.5))"),
            10 => {
                let sign = self.c.text(&["/", "//", "%"]);
                format!("({left} {sign} {right})")
            }
            _ => format!("(-{left} * 1.0)"),
        }
    }

    /// A truth value by an operator.
    pub fn test(&mut self, depth: usize) -> String {
        match self.c.below(14) {
            0..=5 => {
                let id = self.some_type();
                let ordered = self.order_agrees(id);
                let signs: &[&'static str] = if ordered { &["<", "<=", ">", ">=", "==", "!="] } else { &["==", "!="] };
                let (id, signs) = if self.equality_agrees(id) { (id, signs) } else { (ty::INT, &["<", "=="][..]) };
                let left = self.expr(id, depth, false);
                let right = self.expr(id, depth, true);
                let sign = self.c.text(signs);
                if self.c.chance(10) && signs.len() > 2 {
                    let (again, third) = (self.c.text(signs), self.expr(id, depth, true));
                    return format!("({left} {sign} {right} {again} {third})");
                }
                format!("({left} {sign} {right})")
            }
            6 => format!("(not {})", self.expr(ty::BOOL, depth, true)),
            7..=8 => {
                let sign = self.c.text(&["and", "or"]);
                format!("({} {sign} {})", self.expr(ty::BOOL, depth, true), self.expr(ty::BOOL, depth, true))
            }
            9 => {
                // Of two numbers of different types; CPython compares exactly, so the integer is small.
                let (left, sign) = (self.expr(ty::FLOAT, depth, true), self.c.text(&["<", "<=", "==", ">", "!="]));
                format!("({left} {sign} {})", self.small_int())
            }
            10..=12 => self.membership(depth),
            _ => {
                let what = self.expr(ty::BOOL, depth, true);
                let sign = self.c.text(&["is", "is not"]);
                format!("({what} {sign} {})", self.c.text(&["True", "False"]))
            }
        }
    }

    fn membership(&mut self, depth: usize) -> String {
        let sign = self.c.text(&["in", "not in"]);
        let vars: Vec<Var> = self
            .body
            .vars
            .iter()
            .filter(|v| match self.types.get(v.ty) {
                Type::List(e) => self.equality_agrees(*e) && (*e != ty::FLOAT || self.equality_agrees(v.ty)),
                Type::Dict(k, _) => self.equality_agrees(*k),
                Type::Str | Type::Bytes => true,
                _ => false,
            })
            .cloned()
            .collect();
        let Some(var) = self.c.pick(&vars).cloned() else {
            let (x, a, b) = (self.expr(ty::INT, depth, true), self.small_int(), self.expr(ty::INT, depth, true));
            return format!("({x} {sign} ({a}, {b}))");
        };
        let what = match self.types.get(var.ty).clone() {
            Type::List(e) => self.expr(e, depth, false),
            Type::Dict(k, _) => self.expr(k, depth, false),
            Type::Str => self.expr(ty::STR, depth, false),
            _ if self.c.chance(50) => format!("({} & 255)", self.expr(ty::INT, depth, false)),
            _ => self.expr(ty::BYTES, depth, false),
        };
        format!("({what} {sign} {})", var.name)
    }

    fn f_string(&mut self) -> String {
        let mut out = String::from("f\"");
        for _ in 0..1 + self.c.below(3) {
            out.push_str(self.c.text(&["", "x=", " é ", "{{", "|", "}}"]));
            let vars: Vec<Var> = self.body.vars.iter().filter(|v| self.can_show(v.ty)).cloned().collect();
            let Some(var) = self.c.pick(&vars) else { continue };
            let spec = match (self.c.below(3), var.ty) {
                (0, ty::INT) => self
                    .c
                    .text(&[":5", ":<5", ":^7", ":>6", ":05", ":x", ":b", ":,", ":+d", ":_", ":#o", ":10.2f", ":e"]),
                (0, ty::FLOAT) => self
                    .c
                    .text(&[":.2f", ":8.3f", ":e", ":g", ":<9.1f", ":+.3e", ":.0f", ":%", ":010.2f", ":,.2f", ":.3g"]),
                (0, ty::STR) => self.c.text(&[":5", ":>8", ":^9", ":*<6", ":.2", ":é>4.1"]),
                (0, ty::BOOL) => self.c.text(&[":5", ":<6", ":d"]),
                (1, _) => "!r",
                _ => "",
            };
            out.push_str(&format!("{{{}{spec}}}", var.name));
        }
        out.push('"');
        out
    }

    /// A call of a function of the program that gives this type.
    pub fn call(&mut self, id: TypeId, depth: usize) -> Option<String> {
        let here = self.body.kind;
        let waits = here == Kind::Flow && self.body.comprehensions == 0;
        let fits = |f: &&Function| {
            f.ret == id
                && !f.worker
                && match f.kind {
                    Kind::Pure => true,
                    Kind::Plain => here != Kind::Pure,
                    Kind::Flow => waits,
                }
        };
        let all = self.functions.iter().chain(&self.body.nested);
        let found: Vec<Function> = all.filter(fits).cloned().collect();
        let function = self.c.pick(&found)?.clone();
        if !self.spend(function.cost) {
            return None;
        }
        Some(self.call_of(&function, depth, None))
    }

    /// A call of this function; `count` is the argument that counts recursion down.
    pub fn call_of(&mut self, function: &Function, depth: usize, count: Option<&str>) -> String {
        let mut by_name = false;
        let mut args = Vec::new();
        // What has a default may be left out.
        let given = function.params.len() - self.c.below(function.defaults + 1);
        for (index, (name, id)) in function.params.iter().take(given).enumerate() {
            by_name |= self.c.chance(10);
            let value = match (index, count) {
                (0, Some(count)) => count.to_owned(),
                (0, None) if function.recursive => self.c.below(6).to_string(),
                _ => self.expr(*id, depth, true),
            };
            args.push(if by_name { format!("{name}={value}") } else { value });
        }
        // By name they may come in any order.
        if by_name
            && self.c.chance(30)
            && let Some(first) = args.iter().position(|a| a.starts_with('p') && a.contains('='))
        {
            args[first..].reverse();
        }
        let of = function.of.map_or_else(String::new, |class| format!("{}.", self.leaf(class, true)));
        let call = format!("{of}{}({})", function.name, args.join(", "));
        match function.kind {
            Kind::Flow if self.profile.python || self.c.chance(70) => format!("(await {call})"),
            _ => call,
        }
    }

    /// Something to iterate over, and the type of its elements; at most about this many turns.
    pub fn iterable(&mut self, depth: usize) -> (String, TypeId) {
        let vars: Vec<Var> = self
            .body
            .vars
            .iter()
            .filter(|v| matches!(self.types.get(v.ty), Type::List(_) | Type::Dict(..) | Type::Str | Type::Bytes))
            .cloned()
            .collect();
        let wanted = self.c.chance(60);
        let Some(var) = self.c.pick(&vars).filter(|_| wanted).cloned() else {
            let text = match self.c.below(8) {
                0..=3 => format!("range({})", self.c.below(5)),
                4 => format!("range({}, {})", self.small_int(), self.c.below(6)),
                5 => {
                    format!("range({}, {}, {})", 4 + self.c.below(5), self.c.below(3), self.c.text(&["-1", "-2", "-3"]))
                }
                6 => format!("range(({}) % 5)", self.expr(ty::INT, depth, true)),
                _ => {
                    let (start, stop, step) = (self.small_int(), self.c.below(9), 1 + self.c.below(4));
                    match self.c.below(6) {
                        2 => format!("range({start}, {stop}, {} or {step})", self.index()),
                        0 => format!("range(9223372036854775800, 9223372036854775807, {step})"),
                        1 => format!("range(-9223372036854775800, -9223372036854775808, -{step})"),
                        _ => format!("range({start}, {stop}, {step})"),
                    }
                }
            };
            return (text, ty::INT);
        };
        let name = var.name;
        match self.types.get(var.ty).clone() {
            Type::List(e) => match self.c.below(4) {
                0 => (name, e),
                1 => (format!("reversed({name})"), e),
                _ => (format!("{name}[:4]"), e),
            },
            Type::Dict(k, v) => match self.c.below(3) {
                0 => (name, k),
                1 => (format!("{name}.values()"), v),
                _ => (format!("{name}.keys()"), k),
            },
            Type::Str => (if self.c.chance(50) { name } else { format!("{name}[:3]") }, ty::STR),
            _ => (format!("{name}[:3]"), ty::INT),
        }
    }

    fn comprehension(&mut self, id: TypeId, depth: usize, known: bool) -> Option<String> {
        if self.body.comprehensions > 0 {
            return None;
        }
        let (iterable, element) = self.iterable(0);
        let name = self.fresh();
        let mark = self.body.vars.len();
        self.body.vars.push(Var { name: name.clone(), ty: element, writable: false });
        self.body.comprehensions += 1;
        let times = self.body.times;
        self.body.times *= 5;
        let test = if self.c.chance(40) { format!(" if {}", self.test(depth)) } else { String::new() };
        let clause = format!("for {name} in {iterable}{test}");
        let made = match self.types.get(id).clone() {
            Type::List(e) => Some(format!("[{} {clause}]", self.expr(e, depth, known))),
            Type::Set(e) => Some(format!("{{{} {clause}}}", self.expr(e, depth, known))),
            Type::Dict(k, v) => {
                let key = self.expr(k, depth, known);
                Some(format!("{{{key}: {} {clause}}}", self.expr(v, depth, known)))
            }
            Type::Bool => {
                let what = self.c.text(&["any", "all"]);
                Some(format!("{what}({} {clause})", self.expr(ty::BOOL, depth, true)))
            }
            Type::Int => Some(format!("sum(({} % 1000) {clause})", self.expr(ty::INT, depth, true))),
            _ => None,
        };
        self.body.times = times;
        self.body.comprehensions -= 1;
        self.body.vars.truncate(mark);
        made
    }
}
