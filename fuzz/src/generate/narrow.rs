//! Unions and patterns: tests that tell members apart, statements in which a variable has a narrower type, and `match` on the
//! parts of values.

use super::types::{is_vague, spelled};
use super::{Generator, Kind, Var};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Type};

impl Generator<'_> {
    /// The name of a type for `isinstance` and class patterns; `None` itself has none.
    fn class_name(&self, id: TypeId) -> Option<String> {
        Some(match self.types.get(id) {
            Type::None => return None,
            Type::List(_) => "list".to_owned(),
            _ => spelled(&self.types, id),
        })
    }

    /// A test that a variable holds this member of its union.
    fn is_member(&mut self, name: &str, member: TypeId) -> String {
        match self.class_name(member) {
            Some(class) => format!("isinstance({name}, {class})"),
            None => format!("{name} is None"),
        }
    }

    /// A variable whose type is a union, its members, and one of them.
    fn union_variable(&mut self, wanted: Option<TypeId>) -> Option<(usize, Vec<TypeId>, TypeId)> {
        let found: Vec<(usize, Vec<TypeId>)> = self
            .body
            .vars
            .iter()
            .enumerate()
            .filter_map(|(at, v)| match self.types.get(v.ty) {
                Type::Union(members) if wanted.is_none_or(|w| members.contains(&w)) => Some((at, members.clone())),
                _ => None,
            })
            .collect();
        let (at, members) = self.c.pick(&found)?.clone();
        let member = match wanted {
            Some(member) => member,
            None => *self.c.pick(&members)?,
        };
        Some((at, members, member))
    }

    /// A member of a union as a value of its own type, where the union holds it.
    pub fn member_or(&mut self, id: TypeId, depth: usize) -> Option<String> {
        if matches!(self.types.get(id), Type::Union(_) | Type::None) {
            return None;
        }
        let (at, _, member) = self.union_variable(Some(id))?;
        let name = self.body.vars[at].name.clone();
        let test = self.is_member(&name, member);
        // Where the test fails, the variable has another type.
        let var = self.body.vars.remove(at);
        let other = self.expr(id, depth, false);
        self.body.vars.insert(at, var);
        Some(format!("({name} if {test} else {other})"))
    }

    /// Forgets a variable: which type it has from here on is more than the generator knows.
    fn forget(&mut self, at: usize) {
        self.body.vars[at].ty = self.types.intern(Type::TupleOf(ty::LOCK));
        self.body.vars[at].writable = false;
    }

    /// Writes a block in which the variable has this type. Where the block does not come to its end, the variable has another type
    /// after it than before.
    fn block_with(&mut self, at: usize, ty: TypeId, most: usize) -> bool {
        let before = self.body.vars[at].clone();
        self.body.vars[at].ty = ty;
        self.body.vars[at].writable = false;
        let shown = if self.body.kind != Kind::Pure && self.can_show(ty) && self.c.chance(50) {
            Some(format!("print({})", before.name))
        } else {
            None
        };
        let ended = self.block(most, |g| {
            if let Some(line) = shown {
                g.line(&line);
            }
        });
        // Unless it was forgotten.
        if self.body.vars[at].ty == ty {
            self.body.vars[at] = before;
        }
        if ended {
            self.forget(at);
        }
        ended
    }

    /// What follows from which member a variable holds. True if what follows can't be reached.
    pub fn narrow(&mut self) -> bool {
        let Some((at, members, member)) = self.union_variable(None) else { return false };
        let name = self.body.vars[at].name.clone();
        let others: Vec<TypeId> = members.iter().copied().filter(|m| *m != member).collect();
        let rest = self.types.union(&others);
        let test = self.is_member(&name, member);
        match self.c.below(6) {
            // In the outermost block, what a return or an assert leaves holds to the end of the function.
            0 | 1 if self.body.indent == 1 && self.body.ret.is_some() => {
                let Some(ret) = self.body.ret else { return false };
                let (test, left) = if self.c.chance(50) {
                    (test, rest)
                } else {
                    (
                        format!("not {test}").replace(&format!("not {name} is None"), &format!("{name} is not None")),
                        member,
                    )
                };
                let value = self.expr(ret, 1, true);
                self.line(&format!("if {test}:"));
                self.line(&format!("    return {value}"));
                self.body.vars[at].ty = left;
                self.body.vars[at].writable = false;
                false
            }
            2 | 3 => self.match_members(at, &members),
            _ => {
                self.line(&format!("if {test}:"));
                let mut ended = self.block_with(at, member, 3);
                if self.c.chance(60) {
                    self.line("else:");
                    ended &= self.block_with(at, rest, 3);
                    return ended;
                }
                false
            }
        }
    }

    fn match_members(&mut self, at: usize, members: &[TypeId]) -> bool {
        let name = self.body.vars[at].name.clone();
        self.line(&format!("match {name}:"));
        self.body.indent += 1;
        let mut ended = true;
        let count = if self.c.chance(60) { members.len() } else { 1 };
        for member in members.iter().take(count) {
            let Some(class) = self.class_name(*member) else {
                self.line("case None:");
                ended &= self.block_with(at, *member, 2);
                continue;
            };
            if self.types.get(*member) == &Type::Float || self.c.chance(50) {
                self.line(&format!("case {class}():"));
                ended &= self.block_with(at, *member, 2);
                continue;
            }
            let into = self.fresh();
            self.line(&format!("case {class}() as {into}:"));
            let mark = self.body.vars.len();
            self.body.vars.push(Var { name: into, ty: *member, writable: false });
            ended &= self.block_with(at, *member, 2);
            self.body.vars.truncate(mark);
        }
        if count < members.len() {
            self.line("case _:");
            let rest = self.types.union(&members[count..]);
            ended &= self.block_with(at, rest, 2);
        }
        self.body.indent -= 1;
        ended
    }

    /// A match on the parts of a list, a tuple, a dict, an object or a member of an enumeration.
    pub fn match_parts(&mut self) -> bool {
        let fits = |t: &Type| matches!(t, Type::List(_) | Type::Tuple(_) | Type::Dict(..) | Type::Class(_));
        let vars: Vec<Var> = self
            .body
            .vars
            .iter()
            .filter(|v| fits(self.types.get(v.ty)) && !is_vague(&self.types, v.ty) && self.can_show(v.ty))
            .cloned()
            .collect();
        let Some(var) = self.c.pick(&vars).cloned() else { return false };
        self.line(&format!("match {}:", var.name));
        self.body.indent += 1;
        for _ in 0..1 + self.c.below(3) {
            let mut binds = Vec::new();
            let pattern = self.pattern(var.ty, 2, &mut binds);
            let mark = self.body.vars.len();
            self.body.vars.extend(binds);
            // One that takes all would leave nothing to those after it.
            let guard = self.test(1);
            self.line(&format!("case {pattern} if {guard}:"));
            self.block(2, |_| {});
            self.body.vars.truncate(mark);
        }
        if self.c.chance(50) {
            self.line("case _:");
            self.block(2, |_| {});
        }
        self.body.indent -= 1;
        false
    }

    /// A pattern that a value of this type may fit, and the names that it binds.
    fn pattern(&mut self, id: TypeId, depth: usize, binds: &mut Vec<Var>) -> String {
        let bind = |g: &mut Self, ty: TypeId, binds: &mut Vec<Var>| {
            let name = g.fresh();
            binds.push(Var { name: name.clone(), ty, writable: false });
            name
        };
        if depth == 0 || self.c.chance(25) {
            return if self.c.chance(40) { "_".to_owned() } else { bind(self, id, binds) };
        }
        match self.types.get(id).clone() {
            Type::Int => self.c.text(&["0", "1 | 2", "-1", "7 | 100 | -3"]).to_owned(),
            Type::Str => self.c.text(&["\"a\"", "\"\" | \"abc\"", "\"héllo\" | \"x\""]).to_owned(),
            Type::Bool => self.c.text(&["True", "False"]).to_owned(),
            Type::List(e) => {
                let mut parts: Vec<String> = (0..self.c.below(3)).map(|_| self.pattern(e, depth - 1, binds)).collect();
                if self.c.chance(60) {
                    let rest = if self.c.chance(50) { "_".to_owned() } else { bind(self, id, binds) };
                    let at = self.c.below(parts.len() + 1);
                    parts.insert(at, format!("*{rest}"));
                }
                format!("[{}]", parts.join(", "))
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|p| self.pattern(*p, depth - 1, binds)).collect();
                format!("({},)", parts.join(", "))
            }
            Type::Dict(ty::STR, v) => {
                let key = self.c.text(&["\"a\"", "\"\"", "\"abc\"", "\"12\""]);
                format!("{{{key}: {}}}", self.pattern(v, depth - 1, binds))
            }
            Type::Class(class) if self.types.enumeration(class).is_some() => {
                let members = self.types.enumeration(class).map_or(Vec::new(), |e| e.members.clone());
                let of = self.types.class(class).name.clone();
                self.c.pick(&members).map_or("_".to_owned(), |m| format!("{of}.{}", m.name))
            }
            Type::Class(class) => {
                let class = self.types.class(class).clone();
                let by_name = self.c.chance(50);
                let mut parts = Vec::new();
                for field in class.fields.iter().take(1 + self.c.below(2)) {
                    let part = self.pattern(field.ty, depth - 1, binds);
                    parts.push(if by_name { format!("{}={part}", field.name) } else { part });
                }
                format!("{}({})", class.name, parts.join(", "))
            }
            _ => "_".to_owned(),
        }
    }
}
