//! Writes well-typed programs of the Python subset: constants, dataclasses, helper functions, flows and a flow `main` without
//! parameters. What it writes must always compile, ends soon (loops and recursion are bounded), and mostly runs far
//! before it traps, if it does.
//!
//! Builtins are chosen from the table of the IR by what they return. In the `python` profile it keeps away from what is a
//! documented difference from CPython, and from what CPython has no counterpart of.

mod builtin;
mod classes;
mod expr;
mod forms;
mod literal;
mod narrow;
mod stmt;
mod tasks;
mod types;

use crate::choices::Choices;
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Types};
use types::spelled;

/// What kind of program to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// With tasks and sync objects.
    pub tasks: bool,
    /// So that CPython must give the same result, log and kind of error.
    pub python: bool,
    /// With infinities and NaN.
    pub wild_floats: bool,
}

impl Profile {
    /// One of the profiles, by the number of a program.
    pub fn of(seed: u64) -> Profile {
        Profile { tasks: !seed.is_multiple_of(3), python: false, wild_floats: !seed.is_multiple_of(2) }
    }
}

/// The program that these choices make.
pub fn program(profile: Profile, choices: &mut Choices) -> String {
    let mut generator = Generator {
        c: choices,
        profile,
        types: Types::new(),
        palette: Vec::new(),
        classes: Vec::new(),
        constants: Vec::new(),
        functions: Vec::new(),
        identities: Vec::new(),
        text: String::new(),
        body: Body::default(),
    };
    generator.program();
    generator.text
}

/// The program with this number: what it is depends on nothing else.
pub fn program_of(seed: u64) -> (Profile, String) {
    let profile = Profile::of(seed);
    (profile, program(profile, &mut Choices::from_seed(seed)))
}

/// The program with this number for CPython: others than those that `program_of` gives.
pub fn program_for_cpython(seed: u64) -> String {
    let profile = Profile { tasks: seed % 3 == 2, python: true, wild_floats: seed.is_multiple_of(4) };
    program(profile, &mut Choices::from_seed(seed ^ 0x5EED_0000_0000))
}

/// What a function is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Plain,
    Pure,
    Flow,
}

#[derive(Clone, Debug)]
struct Function {
    name: String,
    params: Vec<(String, TypeId)>,
    ret: TypeId,
    kind: Kind,
    /// Whether its first parameter counts down how often it calls itself.
    recursive: bool,
    /// About how many statements a call runs.
    cost: usize,
    /// Whether it takes or uses sync objects, so that only `create_task` runs it.
    worker: bool,
    /// How many of its last parameters have a default.
    defaults: usize,
    /// The class of which it is a method; its first parameter is not among `params`.
    of: Option<TypeId>,
}

#[derive(Clone, Debug)]
struct Var {
    name: String,
    ty: TypeId,
    /// Counters of loops are not.
    writable: bool,
}

/// The function that is being written.
#[derive(Debug, Default)]
struct Body {
    lines: Vec<String>,
    indent: usize,
    vars: Vec<Var>,
    next_name: usize,
    ret: Option<TypeId>,
    kind: Kind,
    /// How often the statement that comes next runs, about.
    times: usize,
    cost: usize,
    cost_max: usize,
    /// How many loops are around it.
    loops: usize,
    /// How many comprehensions are around it, in which nothing is awaited.
    comprehensions: usize,
    /// The functions that were written in it.
    nested: Vec<Function>,
}

struct Generator<'c> {
    c: &'c mut Choices,
    profile: Profile,
    types: Types,
    /// The types that this program mostly uses.
    palette: Vec<TypeId>,
    /// The type of each class.
    classes: Vec<TypeId>,
    constants: Vec<Var>,
    functions: Vec<Function>,
    /// The types for which there is a function that gives its argument back, as of that type.
    identities: Vec<TypeId>,
    text: String,
    body: Body,
}

impl Generator<'_> {
    fn program(&mut self) {
        self.text.push_str("import math\nfrom dataclasses import dataclass, field\nfrom enum import Enum, IntEnum\n");
        self.text.push_str("from deepslate import DSError, dpslio, flow, pure, sleep\n\n");
        self.write_enumerations();
        self.write_classes();
        self.choose_palette();
        self.write_constants();
        for _ in 0..self.c.below(4) {
            self.write_function();
        }
        if self.profile.tasks {
            for _ in 0..1 + self.c.below(3) {
                self.write_worker();
            }
        }
        self.write_main();
        self.write_identities();
    }

    fn write_constants(&mut self) {
        for index in 0..self.c.below(4) {
            let ty = match self.c.below(5) {
                0 => ty::INT,
                1 => ty::STR,
                2 => ty::FLOAT,
                3 => ty::BYTES,
                _ => {
                    let parts = vec![ty::INT, ty::STR];
                    self.types.intern(deepslate_ir::types::Type::Tuple(parts))
                }
            };
            let value = match ty {
                // Names of a module are no constants of ours.
                ty::FLOAT => self.tame_float(),
                _ => self.literal(ty, 0, true),
            };
            let name = format!("K{index}");
            self.text.push_str(&format!("{name} = {value}\n"));
            self.constants.push(Var { name, ty, writable: false });
        }
        self.text.push('\n');
    }

    fn begin(&mut self, kind: Kind, params: &[(String, TypeId)], ret: TypeId, cost_max: usize) {
        let vars =
            params.iter().map(|(name, ty)| Var { name: name.clone(), ty: *ty, writable: true }).collect::<Vec<_>>();
        self.body = Body { vars, ret: Some(ret), kind, times: 1, cost_max, indent: 1, next_name: 0, ..Body::default() };
    }

    /// The last `defaults` parameters get one.
    fn finish(&mut self, name: &str, params: &[(String, TypeId)], ret: TypeId, defaults: usize) {
        let params: Vec<String> = params
            .iter()
            .enumerate()
            .map(|(index, (name, ty))| {
                let default = if index + defaults >= params.len() { self.default_of(*ty) } else { String::new() };
                format!("{name}: {}{default}", spelled(&self.types, *ty))
            })
            .collect();
        let (mark, def) = match self.body.kind {
            Kind::Plain => ("", "def"),
            Kind::Pure => ("@pure\n", "def"),
            Kind::Flow => ("@flow\n", "async def"),
        };
        let ret = spelled(&self.types, ret);
        self.text.push_str(&format!("\n{mark}{def} {name}({}) -> {ret}:\n", params.join(", ")));
        for line in std::mem::take(&mut self.body.lines) {
            self.text.push_str(&line);
            self.text.push('\n');
        }
        self.text.push('\n');
    }

    fn write_function(&mut self) {
        let kind = match self.c.below(20) {
            0..=9 => Kind::Plain,
            10..=12 => Kind::Pure,
            _ => Kind::Flow,
        };
        let name = format!("f{}", self.functions.len());
        let recursive = kind != Kind::Pure && self.c.chance(25);
        let mut params = Vec::new();
        if recursive {
            params.push(("n".to_owned(), ty::INT));
        }
        for index in 0..self.c.below(4) {
            // Pure functions must not change their arguments; scalars can't be changed.
            let ty = if kind == Kind::Pure { self.scalar_type() } else { self.some_type() };
            params.push((format!("p{index}"), ty));
        }
        let ret = if kind == Kind::Pure { self.scalar_type() } else { self.some_type() };
        // What has a default is at the end.
        let plain = |(_, ty): &&(String, TypeId)| !matches!(*ty, ty::INT | ty::STR | ty::BOOL | ty::FLOAT);
        let most = params.iter().rev().position(|p| plain(&p)).unwrap_or(params.len() - usize::from(recursive));
        let defaults = if self.c.chance(50) { most } else { 0 };
        self.begin(kind, &params, ret, 40);
        if recursive {
            if let Some(n) = self.body.vars.first_mut() {
                n.writable = false;
            }
            let value = self.expr(ret, 1, true);
            self.line("if n <= 0:");
            self.line(&format!("    return {value}"));
            let (name, params) = (name.clone(), params.clone());
            let own = Function { name, params, ret, kind, recursive, cost: 0, worker: false, defaults, of: None };
            self.statements(3);
            let value = self.call_of(&own, 1, Some("n - 1"));
            self.declare(ret, &value);
        }
        let ended = self.statements(5);
        if !ended {
            let value = self.expr(ret, 2, true);
            self.line(&format!("return {value}"));
        }
        let cost = if recursive { (self.body.cost + 2) * 7 } else { self.body.cost + 2 };
        self.finish(&name, &params, ret, defaults);
        self.functions.push(Function { name, params, ret, kind, recursive, cost, worker: false, defaults, of: None });
    }

    fn write_main(&mut self) {
        let ret = self.some_type();
        let deep = !self.profile.python && self.c.chance(1);
        if deep {
            self.text.push_str("\ndef deep(n: int) -> int:\n    return deep(n + 1) - 1\n\n");
        }
        self.begin(Kind::Flow, &[], ret, 400);
        // Something to work with.
        for _ in 0..2 + self.c.below(3) {
            let ty = self.some_type();
            let value = self.expr(ty, 1, true);
            self.declare(ty, &value);
        }
        if self.c.chance(8) {
            self.large();
        }
        let ended = if self.profile.tasks { self.task_main() } else { self.statements(18) };
        if deep && !ended {
            self.line("print(deep(1))");
        }
        if !ended {
            let shown: Vec<String> =
                self.body.vars.iter().filter(|v| self.can_show(v.ty)).map(|v| v.name.clone()).collect();
            for name in shown {
                self.line(&format!("print({name})"));
            }
            let value = self.expr(ret, 2, true);
            self.line(&format!("return {value}"));
        }
        self.finish("main", &[], ret, 0);
    }

    /// Writes a line of the function.
    fn line(&mut self, text: &str) {
        let line = format!("{}{text}", "    ".repeat(self.body.indent));
        self.body.lines.push(line);
    }

    fn fresh(&mut self) -> String {
        self.body.next_name += 1;
        format!("v{}", self.body.next_name)
    }

    /// A new variable with this value.
    fn declare(&mut self, ty: TypeId, value: &str) -> String {
        let name = self.fresh();
        self.line(&format!("{name}: {} = {value}", spelled(&self.types, ty)));
        self.body.vars.push(Var { name: name.clone(), ty, writable: true });
        name
    }

    /// Accounts for statements that run now; false where the function runs enough already.
    fn spend(&mut self, statements: usize) -> bool {
        let cost = self.body.cost + statements * self.body.times;
        if cost > self.body.cost_max {
            return false;
        }
        self.body.cost = cost;
        true
    }
}
