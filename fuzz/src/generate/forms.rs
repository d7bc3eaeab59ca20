//! Functions as values and as parts of others, text by format, and small forms: walrus, star in an unpacking.

use super::{Function, Generator, Kind, Var};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Type};

impl Generator<'_> {
    /// A lambda of one parameter of this type, which gives a value of the other; nothing in it is awaited.
    fn lambda(&mut self, of: TypeId, gives: TypeId, depth: usize) -> String {
        let name = self.fresh();
        let (mark, times) = (self.body.vars.len(), self.body.times);
        self.body.vars.push(Var { name: name.clone(), ty: of, writable: false });
        self.body.comprehensions += 1;
        self.body.times *= 5;
        let value = self.expr(gives, depth, false);
        self.body.times = times;
        self.body.comprehensions -= 1;
        self.body.vars.truncate(mark);
        format!("lambda {name}: {value}")
    }

    /// A type that sorts alike in CPython.
    fn key(&mut self) -> TypeId {
        match self.c.below(6) {
            0..=2 => ty::INT,
            3 => ty::STR,
            4 if !self.profile.wild_floats => ty::FLOAT,
            _ => self.types.intern(Type::Tuple(vec![ty::INT, ty::STR])),
        }
    }

    /// A value of this type that a function of functions makes.
    pub fn by_function(&mut self, id: TypeId, depth: usize) -> Option<String> {
        if self.body.comprehensions > 0 {
            return None;
        }
        if let Type::List(element) = *self.types.get(id)
            && self.c.chance(80)
        {
            let reverse = self.c.text(&["", ", reverse=True"]);
            return Some(match self.c.below(4) {
                0 | 1 => {
                    let (list, key) = (self.expr(id, depth, false), self.key());
                    format!("sorted({list}, key={}{reverse})", self.lambda(element, key, depth))
                }
                2 => {
                    let of = self.some_type();
                    let from = self.types.intern(Type::List(of));
                    let list = self.expr(from, depth, false);
                    format!("list(map({}, {list}))", self.lambda(of, element, depth))
                }
                _ => {
                    let list = self.expr(id, depth, false);
                    format!("list(filter({}, {list}))", self.lambda(element, ty::BOOL, depth))
                }
            });
        }
        let list = self.types.intern(Type::List(id));
        let (list, key, one) = (self.expr(list, depth, false), self.key(), self.leaf(id, false));
        let what = self.c.text(&["min", "max"]);
        let key = self.lambda(id, key, depth);
        Some(if self.c.chance(50) {
            format!("{what}({list} + [{one}], key={key})")
        } else {
            format!("{what}({list}, key={key}, default={one})")
        })
    }

    /// Text by `%` or `format`.
    pub fn formatted(&mut self) -> String {
        let (mut text, mut args) = (String::new(), Vec::new());
        let percent = self.c.chance(50);
        for _ in 0..1 + self.c.below(3) {
            text.push_str(self.c.text(&["", "x=", " é ", "|"]));
            let id = match self.c.below(4) {
                0 => ty::INT,
                1 => ty::STR,
                2 => ty::FLOAT,
                _ => self.shown_type(),
            };
            args.push(self.expr(id, 1, false));
            text.push_str(match (percent, id) {
                (true, ty::INT) => self.c.text(&["%d", "%5d", "%05d", "%x", "%s", "%-6d.", "%+d"]),
                (true, ty::FLOAT) => self.c.text(&["%.2f", "%8.3f", "%e", "%g", "%s"]),
                (true, ty::STR) => self.c.text(&["%s", "%r", "%8s", "%-5s.", "%.2s"]),
                (true, _) => self.c.text(&["%s", "%r"]),
                (false, ty::INT) => self.c.text(&["{}", "{:5}", "{:<6}", "{:,}", "{:x}", "{!r}"]),
                (false, ty::FLOAT) => self.c.text(&["{}", "{:.2f}", "{:10.3e}", "{!r}"]),
                (false, ty::STR) => self.c.text(&["{}", "{:>8}", "{:é<5}", "{!r}", "{:.3}"]),
                (false, _) => self.c.text(&["{}", "{!r}", "{!s}"]),
            });
        }
        if percent {
            format!("(\"{text}\" % ({},))", args.join(", "))
        } else {
            format!("\"{text}\".format({})", args.join(", "))
        }
    }

    /// A function in the function, which sees its variables, now and later. Only in the outermost block, so that it is there to the
    /// end.
    pub fn nested_function(&mut self) {
        if self.body.indent != 1 || self.body.kind == Kind::Pure || self.body.loops > 0 {
            return;
        }
        let name = format!("g{}", self.body.next_name);
        self.body.next_name += 1;
        let mut params = Vec::new();
        for _ in 0..self.c.below(3) {
            params.push((self.fresh(), self.some_type()));
        }
        let ret = self.some_type();
        let shown: Vec<String> =
            params.iter().map(|(n, ty)| format!("{n}: {}", super::spelled(&self.types, *ty))).collect();
        let ret_text = super::spelled(&self.types, ret);
        self.line(&format!("def {name}({}) -> {ret_text}:", shown.join(", ")));
        let (mark, cost) = (self.body.vars.len(), self.body.cost);
        // What it sees of the function around it, it does not assign.
        let around: Vec<bool> = self.body.vars.iter_mut().map(|v| std::mem::replace(&mut v.writable, false)).collect();
        let own = params.iter().map(|(name, ty)| Var { name: name.clone(), ty: *ty, writable: true });
        self.body.vars.extend(own);
        self.body.comprehensions += 1;
        self.body.indent += 1;
        let value = self.expr(ret, 2, true);
        self.line(&format!("return {value}"));
        self.body.indent -= 1;
        self.body.comprehensions -= 1;
        self.body.vars.truncate(mark);
        self.body.vars.iter_mut().zip(around).for_each(|(v, writable)| v.writable = writable);
        let cost = self.body.cost - cost + 2;
        let (kind, of) = (Kind::Plain, None);
        let made = Function { name, params, ret, kind, recursive: false, cost, worker: false, defaults: 0, of };
        self.body.nested.push(made);
    }

    /// A form that has no other place.
    pub fn small_form(&mut self) {
        let name = self.fresh();
        match self.c.below(3) {
            0 if self.body.kind != Kind::Pure => {
                let (value, other) = (self.expr(ty::INT, 2, false), self.small_int());
                self.line(&format!("if ({name} := {value}) > {other}: print({name})"));
                self.body.vars.push(Var { name, ty: ty::INT, writable: true });
            }
            1 => {
                let element = self.some_type();
                let list = self.types.intern(Type::List(element));
                let (value, one, rest) = (self.expr(list, 2, false), self.leaf(element, false), self.fresh());
                let target = match self.c.below(3) {
                    0 => format!("{name}, *{rest}"),
                    1 => format!("*{rest}, {name}"),
                    _ => format!("[{name}, *{rest}]"),
                };
                self.line(&format!("{target} = {value} + [{one}]"));
                self.body.vars.push(Var { name, ty: element, writable: true });
                self.body.vars.push(Var { name: rest, ty: list, writable: true });
            }
            _ => {
                let (a, b) = (self.small_int(), self.small_int());
                self.line(&format!(
                    "{name} = [({a} * i + j) % 7 for i in range({b} % 4) for j in range(i) if i != j + 1]"
                ));
                let list = self.types.intern(Type::List(ty::INT));
                self.body.vars.push(Var { name, ty: list, writable: true });
            }
        }
    }
}
