//! Tasks: flows that take sync objects, and a `main` that makes some, starts tasks and works with them. Deadlocks and misuse
//! are as good an outcome as any, so nothing is balanced; but there are more puts than gets, and more releases than waits.

use super::{Function, Generator, Kind, Var};
use deepslate_ir::entity::TypeId;
use deepslate_ir::types::{self as ty, Type};

impl Generator<'_> {
    fn queue_type(&mut self) -> TypeId {
        let element = match self.c.below(5) {
            0..=2 => ty::INT,
            3 => ty::STR,
            _ => self.some_type(),
        };
        self.types.intern(Type::Queue(element))
    }

    pub fn write_worker(&mut self) {
        let name = format!("w{}", self.functions.len());
        let mut params = Vec::new();
        for index in 0..1 + self.c.below(4) {
            let ty = match self.c.below(8) {
                0..=3 => self.queue_type(),
                4 => ty::LOCK,
                5 => ty::WAIT_GROUP,
                _ => self.some_type(),
            };
            params.push((format!("p{index}"), ty));
        }
        let ret = if self.c.chance(70) { ty::NONE } else { self.some_type() };
        self.begin(Kind::Flow, &params, ret, 40);
        let mut ended = false;
        for _ in 0..1 + self.c.below(3) {
            self.sync_statement();
            if self.statements(2) {
                ended = true;
                break;
            }
        }
        if !ended {
            let value = self.expr(ret, 1, true);
            self.line(&format!("return {value}"));
        }
        let cost = self.body.cost + 3;
        self.finish(&name, &params, ret, 0);
        let kind = Kind::Flow;
        let of = None;
        self.functions.push(Function {
            name,
            params,
            ret,
            kind,
            recursive: false,
            cost,
            worker: true,
            defaults: 0,
            of,
        });
    }

    /// True if what follows can't be reached.
    pub fn task_main(&mut self) -> bool {
        let workers: Vec<Function> = self.functions.iter().filter(|f| f.worker).cloned().collect();
        for worker in &workers {
            for (_, ty) in &worker.params {
                if super::types::has_sync(&self.types, *ty) && (self.variable(*ty).is_none() || self.c.chance(30)) {
                    let value = self.literal(*ty, 0, true);
                    self.declare(*ty, &value);
                }
            }
        }
        for _ in 0..3 + self.c.below(5) {
            match self.c.below(4) {
                0 | 1 => self.start_task(),
                2 => self.sync_statement(),
                _ => {
                    if self.statements(2) {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn start_task(&mut self) {
        let waiting = |f: &&Function| f.kind == Kind::Flow && (f.worker || f.params.len() < 3);
        let found: Vec<Function> = self.functions.iter().filter(waiting).cloned().collect();
        let Some(function) = self.c.pick(&found).cloned() else { return };
        if !self.spend(function.cost) {
            return;
        }
        let call = self.call_of(&function, 1, None);
        let call = call.strip_prefix("(await ").and_then(|c| c.strip_suffix(')')).unwrap_or(&call);
        self.line(&format!("dpslio.create_task({call})"));
    }

    fn sync_var(&mut self, fits: impl Fn(&Type) -> bool) -> Option<Var> {
        let vars: Vec<Var> = self.body.vars.iter().filter(|v| fits(self.types.get(v.ty))).cloned().collect();
        self.c.pick(&vars).cloned()
    }

    pub fn sync_statement(&mut self) {
        let queue = self.sync_var(|t| matches!(t, Type::Queue(_)));
        let Some(Var { name, ty: id, .. }) = queue else { return self.lock_or_group() };
        let Type::Queue(element) = *self.types.get(id) else { return };
        match self.c.below(20) {
            0..=6 => {
                let value = self.expr(element, 1, true);
                self.line(&format!("await {name}.put({value})"));
            }
            7..=9 => {
                let into = self.fresh();
                self.line(&format!("{into}: {} = await {name}.get()", super::spelled(&self.types, element)));
                self.body.vars.push(Var { name: into, ty: element, writable: true });
            }
            10 => self.line(&format!("print(\"size\", {name}.qsize())")),
            11..=12 => self.select(),
            13 => self.select_often(),
            14 => {
                let turns = 1 + self.c.below(4);
                let (index, value) = (self.fresh(), self.expr(element, 1, true));
                self.line(&format!("for {index} in range({turns}):"));
                self.line(&format!("    await {name}.put({value})"));
            }
            15 => {
                let into = self.fresh();
                self.line(&format!("while {name}.qsize() > 0:"));
                self.line(&format!("    {into} = await {name}.get()"));
                let shown = if self.can_show(element) { into } else { format!("{name}.qsize()") };
                self.line(&format!("    print({shown})"));
            }
            16 if self.body.kind == Kind::Flow && self.body.loops < 2 => self.start_task_of_own(),
            17 if self.body.times == 1 && self.c.chance(60) => {
                let into = self.fresh();
                self.line(&format!("{name}.close()"));
                self.line(&format!("async for {into} in {name}:"));
                let shown = if self.can_show(element) { into } else { format!("{name}.qsize()") };
                self.line(&format!("    print(\"rest\", {shown})"));
            }
            _ => self.lock_or_group(),
        }
    }

    /// From inside a worker, a task of another flow.
    fn start_task_of_own(&mut self) {
        if self.body.times == 1 {
            self.start_task();
        }
    }

    fn lock_or_group(&mut self) {
        let of = |wanted: TypeId| {
            move |t: &Type| matches!((t, wanted), (Type::Lock, ty::LOCK) | (Type::WaitGroup, ty::WAIT_GROUP))
        };
        if self.c.chance(50)
            && let Some(lock) = self.sync_var(of(ty::LOCK))
        {
            self.line(&format!("await {}.acquire()", lock.name));
            let seconds = self.c.text(&["0", "0.5", "1"]);
            if self.c.chance(60) {
                self.line(&format!("sleep({seconds})"));
            }
            self.show_now();
            if self.c.chance(95) {
                self.line(&format!("await {}.release()", lock.name));
            }
            return;
        }
        let Some(group) = self.sync_var(of(ty::WAIT_GROUP)) else {
            let seconds = self.c.text(&["0", "0.5", "2", "0.125"]);
            return self.line(&format!("sleep({seconds})"));
        };
        let line = match self.c.below(8) {
            0..=2 => format!("{}.add({})", group.name, 1 + self.c.below(2)),
            3..=5 => format!("await {}.done()", group.name),
            _ => format!("await {}.wait()", group.name),
        };
        self.line(&line);
    }

    fn show_now(&mut self) {
        let names: Vec<String> =
            self.body.vars.iter().filter(|v| self.can_show(v.ty)).map(|v| v.name.clone()).collect();
        if let Some(name) = self.c.pick(&names) {
            let line = format!("print(\"at\", {name})");
            self.line(&line);
        }
    }

    /// Takes from two queues, in which there is more than one element, again and again: whose turn it is, a task remembers.
    fn select_often(&mut self) {
        let mut queues = Vec::new();
        for _ in 0..2 {
            let (name, value) = (self.fresh(), self.small_int());
            let turns = 1 + self.c.below(4);
            self.line(&format!("{name}: dpslio.Queue[int] = dpslio.Queue[int]()"));
            self.line(&format!("for i{name} in range({turns}):"));
            self.line(&format!("    await {name}.put({value} + i{name})"));
            let ty = self.types.intern(Type::Queue(ty::INT));
            queues.push(Var { name, ty, writable: false });
        }
        let (index, value) = (self.fresh(), self.fresh());
        let turns = 2 + self.c.below(5);
        self.line(&format!("for {index} in range({turns}):"));
        if self.c.chance(40) {
            self.line("    sleep(0)");
        }
        self.line("    match dpslio.select:");
        for queue in &queues {
            self.line(&format!("        case _ if {value} := await {}.get():", queue.name));
            self.line(&format!("            print(\"{}\", {value})", queue.name));
        }
        self.line("        case _:");
        self.line("            print(\"none\")");
        self.body.vars.extend(queues);
    }

    fn select(&mut self) {
        self.line("match dpslio.select:");
        self.body.indent += 1;
        for _ in 0..1 + self.c.below(3) {
            let Some(Var { name, ty: id, .. }) = self.sync_var(|t| matches!(t, Type::Queue(_))) else { break };
            let Type::Queue(element) = *self.types.get(id) else { break };
            let mark = self.body.vars.len();
            match self.c.below(5) {
                0 => {
                    let value = self.expr(element, 1, true);
                    self.line(&format!("case _ if await {name}.put({value}):"));
                }
                1 => self.line(&format!("case _ if await {name}.get():")),
                _ => {
                    let into = self.fresh();
                    self.line(&format!("case _ if {into} := await {name}.get():"));
                    self.body.vars.push(Var { name: into, ty: element, writable: true });
                }
            }
            self.body.indent += 1;
            self.line(&format!("print(\"from {name}\")"));
            self.show_now();
            self.body.indent -= 1;
            self.body.vars.truncate(mark);
        }
        if self.c.chance(45) {
            self.line("case _:");
            self.line("    print(\"none\")");
        }
        self.body.indent -= 1;
    }
}
