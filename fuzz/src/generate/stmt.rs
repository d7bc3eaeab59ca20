//! Statements. Each is one line, so that the line of a trap is that of its statement, or a block that ends by itself.

use super::types::spelled;
use super::{Generator, Kind, Var};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Type};

impl Generator<'_> {
    /// Up to this many statements; true if what follows can't be reached.
    pub fn statements(&mut self, most: usize) -> bool {
        for _ in 0..self.c.below(most + 1) {
            if !self.spend(1) {
                break;
            }
            if self.statement() {
                return true;
            }
        }
        false
    }

    /// An indented block, whose variables end with it. `before` writes its first lines.
    pub fn block(&mut self, most: usize, before: impl FnOnce(&mut Self)) -> bool {
        let (vars, lines) = (self.body.vars.len(), self.body.lines.len());
        self.body.indent += 1;
        before(self);
        let ended = self.statements(most);
        if self.body.lines.len() == lines {
            self.line("pass");
        }
        self.body.indent -= 1;
        self.body.vars.truncate(vars);
        ended
    }

    fn statement(&mut self) -> bool {
        let nested = self.body.indent < 5;
        match self.c.below(100) {
            0..=12 => {
                let id = self.some_type();
                let value = self.expr(id, 3, true);
                self.declare(id, &value);
            }
            13..=14 if nested => return self.narrow(),
            15 if nested => return self.match_parts(),
            16 => self.nested_function(),
            17 => self.small_form(),
            18..=29 => self.assign(),
            30..=38 => self.augment(),
            39..=50 => self.store(),
            51..=57 => {
                if let Some(text) = self.change(2) {
                    self.line(&text);
                }
            }
            58..=61 => self.show(),
            62..=65 => self.wait(),
            66..=68 => self.unpack(),
            69..=71 => self.in_both_branches(),
            72..=79 if nested => return self.branch(),
            80..=87 if nested => self.for_loop(),
            88..=90 if nested => self.while_loop(),
            91..=92 if nested => return self.match_statement(),
            93..=94 => {
                let id = self.some_type();
                if let Some(call) = self.call(id, 2) {
                    self.line(&call);
                }
            }
            95 => self.trap(),
            96..=97 if self.profile.tasks && self.body.kind == Kind::Flow => self.sync_statement(),
            98 if self.body.indent > 1 => return self.leave(),
            _ => {
                let id = self.some_type();
                let value = self.expr(id, 2, true);
                self.declare(id, &value);
            }
        }
        false
    }

    fn writable(&mut self, fits: impl Fn(&Self, TypeId) -> bool) -> Option<Var> {
        let vars: Vec<Var> = self.body.vars.iter().filter(|v| v.writable && fits(self, v.ty)).cloned().collect();
        self.c.pick(&vars).cloned()
    }

    fn assign(&mut self) {
        let Some(var) = self.writable(|_, _| true) else { return };
        // Two names for one list, one dict or one object.
        if self.c.chance(25)
            && let Some(other) = self.variable(var.ty)
        {
            return self.line(&format!("{} = {other}", var.name));
        }
        let value = self.expr(var.ty, 3, true);
        self.line(&format!("{} = {value}", var.name));
    }

    fn augment(&mut self) {
        let fits = |g: &Self, id| {
            matches!(
                g.types.get(id),
                Type::Int | Type::Float | Type::Str | Type::Bytes | Type::List(_) | Type::Dict(..)
            )
        };
        let Some(var) = self.writable(fits) else { return };
        let value = self.expr(var.ty, 2, true);
        let sign = match self.types.get(var.ty) {
            Type::Int => self.c.text(&["+=", "-=", "+=", "&=", "|=", "^="]),
            Type::Float => self.c.text(&["+=", "-=", "*="]),
            Type::Dict(..) if self.profile.python => {
                // CPython merges in place, which other names see.
                return self.line(&format!("{}.update({value})", var.name));
            }
            Type::Dict(..) => "|=",
            _ => "+=",
        };
        if self.types.get(var.ty) == &Type::Int && self.c.chance(30) {
            let line = match self.c.below(3) {
                0 => format!("{} %= 1000", var.name),
                1 => format!("{} //= {}", var.name, 2 + self.c.below(5)),
                _ => format!("{} *= {}", var.name, self.c.below(4)),
            };
            return self.line(&line);
        }
        self.line(&format!("{} {sign} {value}", var.name));
    }

    /// Stores into, or deletes from, what a variable holds.
    fn store(&mut self) {
        let fits = |g: &Self, id| match g.types.get(id) {
            Type::List(_) | Type::Dict(..) => true,
            Type::Class(c) => !g.types.class(*c).frozen && !g.types.class(*c).fields.is_empty(),
            _ => false,
        };
        let vars: Vec<Var> = self.body.vars.iter().filter(|v| fits(self, v.ty)).cloned().collect();
        let Some(Var { name, ty, .. }) = self.c.pick(&vars).cloned() else { return };
        if self.body.kind == Kind::Pure {
            // What it was given it must not change, and what came from that either.
            return;
        }
        match self.types.get(ty).clone() {
            Type::List(e) => match self.c.below(10) {
                0..=3 => {
                    let value = self.expr(e, 2, true);
                    self.line(&format!("{name}.append({value})"));
                }
                4..=6 => {
                    let (index, value) = (self.index(), self.expr(e, 2, true));
                    let guard = if self.c.chance(85) { format!("if {name}: ") } else { String::new() };
                    let index = if guard.is_empty() { index } else { format!("{index} % len({name})") };
                    self.line(&format!("{guard}{name}[{index}] = {value}"));
                }
                7 if matches!(self.types.get(e), Type::Int | Type::Str | Type::Float | Type::List(_)) => {
                    let value = self.expr(e, 2, true);
                    let index = self.c.text(&["0", "-1"]);
                    self.line(&format!("if {name}: {name}[{index}] += {value}"));
                }
                8 => {
                    let index = self.c.text(&["0", "-1", "1"]);
                    self.line(&format!("if len({name}) > 2: del {name}[{index}]"));
                }
                _ => {
                    let other = self.expr(ty, 2, true);
                    self.line(&format!("{name}.extend({other})"));
                }
            },
            Type::Dict(k, v) => match self.c.below(8) {
                0..=4 => {
                    let (key, value) = (self.expr(k, 2, true), self.expr(v, 2, true));
                    self.line(&format!("{name}[{key}] = {value}"));
                }
                5 => {
                    let key = self.leaf(k, true);
                    let guard = if self.c.chance(80) { format!("if {key} in {name}: ") } else { String::new() };
                    self.line(&format!("{guard}del {name}[{key}]"));
                }
                6 if matches!(self.types.get(v), Type::Int | Type::Str | Type::Float | Type::List(_)) => {
                    let key = self.leaf(k, true);
                    let value = self.expr(v, 2, true);
                    self.line(&format!("if {key} in {name}: {name}[{key}] += {value}"));
                }
                _ => {
                    let other = self.expr(ty, 1, true);
                    self.line(&format!("{name}.update({other})"));
                }
            },
            Type::Class(c) => {
                let fields = self.types.class(c).fields.clone();
                let Some(field) = self.c.pick(&fields).cloned() else { return };
                if field.name == "kids" && self.c.chance(70) {
                    let child = self.leaf(ty, true);
                    return self.line(&format!("{name}.kids.append({child})"));
                }
                let value = self.expr(field.ty, 2, true);
                let sign = match self.types.get(field.ty) {
                    Type::Int | Type::Str | Type::List(_) | Type::Float if self.c.chance(40) => "+=",
                    _ => "=",
                };
                self.line(&format!("{name}.{} {sign} {value}", field.name));
            }
            _ => {}
        }
    }

    fn show(&mut self) {
        if self.body.kind == Kind::Pure {
            return;
        }
        let values: Vec<String> = (0..1 + self.c.below(3))
            .map(|_| {
                let id = self.shown_type();
                self.expr(id, 2, false)
            })
            .collect();
        let sep = if self.c.chance(10) { ", sep=\"–\"" } else { "" };
        self.line(&format!("print({}{sep})", values.join(", ")));
    }

    fn wait(&mut self) {
        if self.body.kind != Kind::Flow {
            return self.show();
        }
        let seconds = match self.c.below(6) {
            0..=2 => "0".to_owned(),
            3 => "0.25".to_owned(),
            4 => format!("abs({}) % 3.0", self.index()),
            _ => "1.5".to_owned(),
        };
        self.line(&format!("sleep({seconds})"));
    }

    fn unpack(&mut self) {
        // A swap, of two variables or of two elements.
        if self.c.chance(50) {
            let Some(a) = self.writable(|_, _| true) else { return };
            let Some(b) = self.writable(|_, id| id == a.ty) else { return };
            if self.c.chance(50) || a.name == b.name {
                return self.line(&format!("{}, {} = {}, {}", a.name, b.name, b.name, a.name));
            }
            let value = self.expr(a.ty, 2, true);
            return self.line(&format!("{}, {} = {}, {value}", b.name, a.name, a.name));
        }
        let parts: Vec<TypeId> = (0..2 + self.c.below(2)).map(|_| self.some_type()).collect();
        let tuple = self.types.intern(Type::Tuple(parts.clone()));
        let names: Vec<String> = parts.iter().map(|_| self.fresh()).collect();
        let value = self.expr(tuple, 2, false);
        self.line(&format!("{} = {value}", names.join(", ")));
        for (name, ty) in names.into_iter().zip(parts) {
            self.body.vars.push(Var { name, ty, writable: true });
        }
    }

    /// A variable that is declared first and gets its value in every branch.
    fn in_both_branches(&mut self) {
        let (id, name) = (self.some_type(), self.fresh());
        self.line(&format!("{name}: {}", spelled(&self.types, id)));
        let test = self.test(2);
        self.line(&format!("if {test}:"));
        for branch in 0..2 {
            if branch == 1 {
                self.line("else:");
            }
            let ended = self.block(2, |_| {});
            if !ended {
                self.body.indent += 1;
                let value = self.expr(id, 2, true);
                self.line(&format!("{name} = {value}"));
                self.body.indent -= 1;
            }
        }
        // Where both branches leave, the rest is never reached, and may say what it wants.
        self.body.vars.push(Var { name, ty: id, writable: true });
    }

    fn branch(&mut self) -> bool {
        let test = self.test(2);
        self.line(&format!("if {test}:"));
        let mut ended = self.block(4, |_| {});
        if self.c.chance(30) {
            let test = self.test(2);
            self.line(&format!("elif {test}:"));
            ended &= self.block(3, |_| {});
        }
        if self.c.chance(50) {
            self.line("else:");
            ended &= self.block(3, |_| {});
            return ended;
        }
        false
    }

    /// The body of a loop and what follows it; variables past `mark` are the loop's own.
    fn turns(&mut self, mark: usize, count: usize, most: usize, before: impl FnOnce(&mut Self)) {
        self.turns_only(mark, count, most, before);
        if self.c.chance(20) {
            self.line("else:");
            self.block(2, |_| {});
        }
    }

    /// The same without what follows.
    fn turns_only(&mut self, mark: usize, count: usize, most: usize, before: impl FnOnce(&mut Self)) {
        let times = self.body.times;
        self.body.times *= count;
        self.body.loops += 1;
        self.block(most, before);
        self.body.loops -= 1;
        self.body.times = times;
        self.body.vars.truncate(mark);
    }

    fn for_loop(&mut self) {
        let mark = self.body.vars.len();
        let name = self.fresh();
        let var = |name: &str, ty| Var { name: name.to_owned(), ty, writable: true };
        let (iterable, element) = self.iterable(1);
        match self.c.below(10) {
            0 | 1 => {
                let index = self.fresh();
                self.line(&format!("for {index}, {name} in enumerate({iterable}):"));
                self.body.vars.extend([var(&index, ty::INT), var(&name, element)]);
            }
            2 => {
                let (other, of_other) = self.iterable(1);
                let second = self.fresh();
                self.line(&format!("for {name}, {second} in zip({iterable}, {other}):"));
                self.body.vars.extend([var(&name, element), var(&second, of_other)]);
            }
            3 => {
                let dicts: Vec<(String, TypeId, TypeId)> = self
                    .body
                    .vars
                    .iter()
                    .filter_map(|v| match self.types.get(v.ty) {
                        Type::Dict(k, e) => Some((v.name.clone(), *k, *e)),
                        _ => None,
                    })
                    .collect();
                match self.c.pick(&dicts).cloned() {
                    Some((dict, key, value)) => {
                        let second = self.fresh();
                        self.line(&format!("for {name}, {second} in {dict}.items():"));
                        self.body.vars.extend([var(&name, key), var(&second, value)]);
                    }
                    None => {
                        self.line(&format!("for {name} in {iterable}:"));
                        self.body.vars.push(var(&name, element));
                    }
                }
            }
            4 => {
                let values: Vec<String> = (0..2 + self.c.below(2)).map(|_| self.expr(ty::INT, 1, false)).collect();
                self.line(&format!("for {name} in ({}):", values.join(", ")));
                self.body.vars.push(var(&name, ty::INT));
            }
            5 => match self.writable(|_, id| id == element) {
                // The variable stays after the loop.
                Some(known) => self.line(&format!("for {} in {iterable}:", known.name)),
                None => {
                    self.line(&format!("for {name} in {iterable}:"));
                    self.body.vars.push(var(&name, element));
                }
            },
            _ => {
                self.line(&format!("for {name} in {iterable}:"));
                self.body.vars.push(var(&name, element));
            }
        }
        self.turns(mark, 4, 4, |_| {});
    }

    fn while_loop(&mut self) {
        let (name, most) = (self.fresh(), 1 + self.c.below(5));
        self.line(&format!("{name} = 0"));
        self.body.vars.push(Var { name: name.clone(), ty: ty::INT, writable: false });
        let mark = self.body.vars.len();
        if self.c.chance(25) {
            self.line("while True:");
            // Nothing leads to an `else` of it, so that nothing is known of the variables there.
            self.turns_only(mark, most, 3, |g| {
                g.line(&format!("{name} += 1"));
                g.line(&format!("if {name} > {most}: break"));
            });
            return;
        }
        let more = if self.c.chance(30) { format!(" and {}", self.test(1)) } else { String::new() };
        self.line(&format!("while {name} < {most}{more}:"));
        self.turns(mark, most, 4, |g| g.line(&format!("{name} += 1")));
    }

    fn match_statement(&mut self) -> bool {
        let id = match self.c.below(4) {
            0 => ty::STR,
            1 => ty::BOOL,
            _ => ty::INT,
        };
        let subject = self.expr(id, 2, false);
        self.line(&format!("match {subject}:"));
        self.body.indent += 1;
        let mut ended = true;
        for _ in 0..1 + self.c.below(3) {
            let pattern = match id {
                ty::STR => self.c.text(&["\"a\"", "\"\" | \"abc\"", "\"héllo\"", "\"12\" | \"x\" | \"-7\""]),
                ty::BOOL => self.c.text(&["True", "False"]),
                _ => self.c.text(&["0", "1 | 2 | 3", "-1", "7 | 100", "9223372036854775807 | -9223372036854775808"]),
            };
            let guard = if self.c.chance(25) { format!(" if {}", self.test(1)) } else { String::new() };
            self.line(&format!("case {pattern}{guard}:"));
            ended &= self.block(3, |_| {});
        }
        match self.c.below(3) {
            0 => {
                let name = self.fresh();
                self.line(&format!("case {name}:"));
                let mark = self.body.vars.len();
                self.body.vars.push(Var { name, ty: id, writable: true });
                ended &= self.block(3, |_| {});
                self.body.vars.truncate(mark);
            }
            1 => {
                self.line("case _:");
                ended &= self.block(3, |_| {});
            }
            _ => ended = false,
        }
        self.body.indent -= 1;
        ended
    }

    /// What ends the program, under a condition that seldom holds.
    fn trap(&mut self) {
        let (left, right) = (self.expr(ty::INT, 2, false), self.small_int());
        let line = match self.c.below(6) {
            0..=2 => format!("assert {left} != {right}, f\"no {{{}}}\"", self.leaf_name()),
            3 => format!("assert {left} != {right}"),
            4 => format!("if {left} == {right}: raise ValueError(\"é\")"),
            _ => format!("if {left} == {right}: raise RuntimeError({left})"),
        };
        self.line(&line);
    }

    fn leaf_name(&mut self) -> String {
        let names: Vec<String> =
            self.body.vars.iter().filter(|v| self.can_show(v.ty)).map(|v| v.name.clone()).collect();
        self.c.pick(&names).cloned().unwrap_or_else(|| "1".to_owned())
    }

    /// Something so large that snapshots hold it in chunks, and changes to it between stops.
    pub fn large(&mut self) {
        let (name, index) = (self.fresh(), self.fresh());
        let (count, step) = (520 + self.c.below(1200), 1 + self.c.below(400));
        let turns = 1 + self.c.below(12);
        let (id, value, changes): (TypeId, String, &[&str]) = match self.c.below(5) {
            0 => {
                let id = self.types.intern(Type::List(ty::INT));
                (
                    id,
                    format!("list(range({count}))"),
                    &["V[I * S % len(V)] = I", "V.append(I)", "V.insert(S, I)", "V.pop()", "V.pop(S)", "V += [I, I]"],
                )
            }
            1 => {
                let id = self.types.intern(Type::List(ty::STR));
                let changes: &[&str] =
                    &["V[I * S % len(V)] = str(I)", "V.append(\"é\")", "del V[S]", "V.reverse()", "V.sort()"];
                (id, format!("[\"a\", \"bc\", \"\", \"中\"] * {}", count / 4), changes)
            }
            2 => {
                let id = self.types.intern(Type::Dict(ty::INT, ty::INT));
                let changes: &[&str] = &[
                    "V[I * S] = I",
                    "V.pop(I * S, 0)",
                    "V[-I] = S",
                    "V.popitem()",
                    "del V[I]",
                    "V[I + S] = V.pop(I + S, 7)",
                ];
                (id, format!("dict(list(zip(list(range({count})), list(range(0, {}, 2)))))", count * 2), changes)
            }
            3 => {
                let inner = self.types.intern(Type::List(ty::INT));
                let id = self.types.intern(Type::List(inner));
                let changes: &[&str] =
                    &["V[I * S % len(V)].append(I)", "V[I * S % len(V)] = [I]", "V[0] += [S]", "V.append(V[S])"];
                (id, format!("[[1], [2, 3], []] * {}", count / 3), changes)
            }
            _ => (
                ty::STR,
                format!("\"abcdefgh\" * {count}"),
                &["V += \"é\"", "V = V[S:] + V[:S]", "V = V.upper()", "V = V[:-1]"],
            ),
        };
        self.line(&format!("{name}: {} = {value}", spelled(&self.types, id)));
        self.line(&format!("for {index} in range({turns}):"));
        for _ in 0..1 + self.c.below(3) {
            let change = self.c.pick(changes).copied().unwrap_or("pass");
            let change = change.replace('V', &name).replace('I', &index).replace('S', &step.to_string());
            self.line(&format!("    {change}"));
        }
        if self.c.chance(50) {
            self.line("    sleep(0)");
        }
        self.line(&format!("print(len({name}))"));
        self.body.vars.push(Var { name, ty: id, writable: true });
    }

    /// Leaves a loop or the function.
    fn leave(&mut self) -> bool {
        match (self.c.below(3), self.body.loops) {
            (0, 1..) => self.line("break"),
            (1, 1..) => self.line("continue"),
            _ => {
                let Some(ret) = self.body.ret else { return false };
                let value = self.expr(ret, 2, true);
                self.line(&format!("return {value}"));
            }
        }
        true
    }
}
