//! An isolate without an interpreter: one task with a stack of frames and some that wait in a queue, whose heap is changed by
//! hand; its parts, kept as a store does; and a picture of everything that it can see, to compare two of them.

use crate::heap::{Heap, Raw, Ref, Roots};
use crate::snapshot::{
    self, Ledger, Part, SavedFrame, SavedHead, SavedState, SavedTask, SnapshotError, Tasks, Urgency,
};
use bytes::Bytes;
use deepslate_ir::builder::FuncBuilder;
use deepslate_ir::entity::{FuncId, StopId, TypeId};
use deepslate_ir::module::{FuncKind, Imm, Module, Param, Span};
use deepslate_ir::ops::Op;
use deepslate_ir::types::{self, Class, Field, Type};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub const LIMIT: u64 = 256 << 20;

/// The variables of `main`, in the order of its stops' lists.
pub const INTS: usize = 0;
pub const WORDS: usize = 1;
pub const NODE: usize = 2;
pub const QUEUE: usize = 3;
pub const BLOB: usize = 4;
pub const KEYED: usize = 5;
pub const LOCK: usize = 6;
pub const GROUP: usize = 7;
pub const FLAGS: usize = 8;
pub const COUNTS: usize = 9;
pub const MAYBES: usize = 10;

/// `main`: polls, calls itself; each stop lists the variables. `taker`: takes a node from a queue.
pub const MAIN: FuncId = FuncId(0);
pub const TAKER: FuncId = FuncId(1);
pub const POLL: StopId = StopId(0);
pub const CALL: StopId = StopId(1);

pub struct Program {
    pub module: Arc<Module>,
    pub vars: Vec<TypeId>,
    pub node: TypeId,
    pub nodes: TypeId,
    pub tags: TypeId,
    pub pair: TypeId,
}

pub fn program() -> Program {
    let mut module = Module::default();
    let t = &mut module.types;
    let class = t.add_class(Class { name: "Node".to_owned(), fields: Vec::new(), frozen: false });
    let node = t.intern(Type::Class(class));
    let nodes = t.intern(Type::List(node));
    let tags = t.intern(Type::Dict(types::INT, node));
    let field = |name: &str, ty| Field { name: name.to_owned(), ty };
    let fields = [("value", types::INT), ("name", types::STR), ("next", nodes), ("tags", tags), ("live", types::BOOL)];
    t.class_mut(class).fields = fields.map(|(name, ty)| field(name, ty)).into();
    let pair = t.intern(Type::Tuple(vec![types::INT, types::STR]));
    let ints = t.intern(Type::List(types::INT));
    let maybe = t.union(&[types::BOOL, types::INT, node, types::NONE]);
    let vars = vec![
        ints,
        t.intern(Type::Dict(types::STR, ints)),
        node,
        t.intern(Type::Queue(node)),
        types::BYTES,
        t.intern(Type::Dict(pair, types::FLOAT)),
        types::LOCK,
        types::WAIT_GROUP,
        t.intern(Type::List(types::BOOL)),
        t.intern(Type::Dict(types::INT, types::INT)),
        t.intern(Type::List(maybe)),
    ];
    let params: Vec<Param> = vars.iter().enumerate().map(|(i, ty)| Param::new(format!("p{i}"), *ty)).collect();
    let queue = params[QUEUE].clone();
    let mut b = FuncBuilder::new("main", FuncKind::Flow, params, types::INT, Span::NOWHERE);
    let mut scope = Vec::new();
    for (index, ty) in vars.iter().enumerate() {
        let var = b.declare(Some(&format!("v{index}")), *ty);
        b.write(var, b.param(index));
        scope.push(var);
    }
    b.set_scope(&scope);
    b.inst(Op::Poll, &[], Imm::No, None);
    let args: Vec<_> = (0..vars.len()).map(|i| b.param(i)).collect();
    let value = b.value(Op::Call, &args, Imm::Func(MAIN), types::INT);
    b.ret(value);
    module.funcs.push(b.finish());
    let mut b = FuncBuilder::new("taker", FuncKind::Plain, vec![queue], types::INT, Span::NOWHERE);
    let var = b.declare(Some("queue"), vars[QUEUE]);
    b.write(var, b.param(0));
    b.set_scope(&[var]);
    let taken = b.value(Op::QueueGet, &[b.param(0)], Imm::No, node);
    let value = b.value(Op::SlotGet, &[taken], Imm::Slot(0), types::INT);
    b.ret(value);
    module.funcs.push(b.finish());
    deepslate_ir::verify::verify(&module).expect("the tests' program is sound");
    Program { module: Arc::new(module), vars, node, nodes, tags, pair }
}

#[derive(Clone)]
pub struct Task {
    pub state: SavedState,
    pub frames: Vec<SavedFrame>,
    pub mark: u64,
}

#[derive(Default)]
pub struct Table {
    pub tasks: BTreeMap<u64, Task>,
    pub ready: Vec<u64>,
    pub next_task: u64,
    pub next_step: u64,
    pub ended: Vec<u64>,
    pub result: Option<u64>,
    pub module: Option<Arc<Module>>,
}

impl Tasks for Table {
    fn head(&self) -> SavedHead {
        SavedHead {
            flow: MAIN,
            next_task: self.next_task,
            next_step: self.next_step,
            ready: self.ready.clone(),
            result: self.result,
            named: Vec::new(),
        }
    }

    fn changed(&self, since: u64) -> Vec<SavedTask> {
        let changed = self.tasks.iter().filter(|(_, t)| t.mark > since);
        let save = |(id, task): (&u64, &Task)| {
            let first = task.frames.iter().position(|f| f.mark > since).unwrap_or(task.frames.len());
            let first = first.min(task.frames.len().saturating_sub(1));
            SavedTask {
                id: *id,
                state: task.state.clone(),
                last_case: None,
                depth: task.frames.len() as u32,
                frames: task.frames[first..].to_vec(),
                mark: 0,
            }
        };
        changed.map(save).collect()
    }

    fn take_ended(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.ended)
    }

    fn roots(&self, roots: &mut Roots<'_>) {
        roots.add(self.result.unwrap_or(0));
        for task in self.tasks.values() {
            for frame in &task.frames {
                let module = self.module.as_ref().expect("a world gives its module");
                let func = module.func(frame.func);
                let listed = func.stop(frame.stop).values.iter().zip(&frame.values);
                listed.filter(|(l, _)| module.types.is_ref(func.ty(l.value))).for_each(|(_, slot)| roots.add(*slot));
            }
            match &task.state {
                SavedState::Start(_, slots) | SavedState::Select(slots) => roots.add_all(slots),
                SavedState::Put(slot) | SavedState::Get(slot) => roots.add(*slot),
                SavedState::Lock(slot) | SavedState::Group(slot) => roots.add(*slot),
                // Whatever is delivered in the tests is a reference or 0.
                SavedState::Deliver(slot) | SavedState::Case(_, slot) => roots.add(*slot),
                SavedState::Fault(_) | SavedState::Call(..) => {}
            }
        }
    }
}

/// The parts as a store keeps them.
#[derive(Default, Clone)]
pub struct Store(pub BTreeMap<u64, Bytes>);

impl Store {
    pub fn apply(&mut self, part: &Part) {
        self.0.retain(|number, _| *number < part.drop_from);
        self.0.insert(part.number, part.bytes.clone().into());
    }

    pub fn parts(&self) -> Vec<(u64, Bytes)> {
        self.0.iter().map(|(n, b)| (*n, b.clone())).collect()
    }

    pub fn bytes(&self) -> u64 {
        self.0.values().map(|b| b.len() as u64).sum()
    }
}

pub struct World {
    pub program: Arc<Program>,
    pub heap: Heap,
    pub ledger: Ledger,
    pub table: Table,
    pub store: Store,
}

impl World {
    /// One whose first task has not begun, over a program of which only the module counts.
    pub fn bare(module: Module, first: Vec<u64>) -> World {
        let program = Program { module: Arc::new(module), ..program() };
        let heap = Heap::new(Arc::clone(&program.module), LIMIT);
        let task = Task { state: SavedState::Start(MAIN, first), frames: Vec::new(), mark: 1 };
        let table = Table {
            tasks: [(0, task)].into(),
            ready: vec![0],
            next_task: 1,
            module: Some(Arc::clone(&program.module)),
            ..Table::default()
        };
        World { program: Arc::new(program), heap, ledger: Ledger::new(), table, store: Store::default() }
    }

    pub fn new() -> World {
        let program = Arc::new(program());
        let mut heap = Heap::new(Arc::clone(&program.module), LIMIT);
        let node = new_node(&mut heap, &program, 0);
        let vars = &program.vars;
        let empty_list = |heap: &mut Heap, ty| heap.new_list(ty, &[]).unwrap().slot();
        let values = vec![
            empty_list(&mut heap, vars[INTS]),
            heap.new_dict(vars[WORDS]).unwrap().slot(),
            node,
            heap.new_queue(vars[QUEUE], -1).unwrap().slot(),
            heap.new_bytes(b"").unwrap().slot(),
            heap.new_dict(vars[KEYED]).unwrap().slot(),
            heap.new_lock().unwrap().slot(),
            heap.new_wait_group().unwrap().slot(),
            empty_list(&mut heap, vars[FLAGS]),
            heap.new_dict(vars[COUNTS]).unwrap().slot(),
            empty_list(&mut heap, vars[MAYBES]),
        ];
        let frame = SavedFrame { func: MAIN, stop: POLL, values, mark: 1 };
        let task = Task { state: SavedState::Deliver(0), frames: vec![frame], mark: 1 };
        let table = Table {
            tasks: [(0, task)].into(),
            ready: vec![0],
            next_task: 1,
            module: Some(Arc::clone(&program.module)),
            ..Table::default()
        };
        World { program, heap, ledger: Ledger::new(), table, store: Store::default() }
    }

    /// A variable of the innermost frame.
    pub fn var(&self, index: usize) -> Ref {
        Ref::from_slot(self.table.tasks[&0].frames.last().unwrap().values[index])
    }

    pub fn set_var(&mut self, index: usize, value: Ref) {
        let mark = self.heap.interval();
        let task = self.table.tasks.get_mut(&0).unwrap();
        task.mark = mark;
        let frame = task.frames.last_mut().unwrap();
        frame.mark = mark;
        frame.values[index] = value.slot();
    }

    /// Notes that the first task ran.
    pub fn ran(&mut self) {
        let node = self.var(NODE);
        self.set_var(NODE, node);
    }

    pub fn call(&mut self) {
        self.ran();
        let mark = self.heap.interval();
        let frames = &mut self.table.tasks.get_mut(&0).unwrap().frames;
        let top = frames.last_mut().unwrap();
        top.stop = CALL;
        let inner = SavedFrame { stop: POLL, mark, ..top.clone() };
        frames.push(inner);
    }

    pub fn ret(&mut self) {
        let frames = &mut self.table.tasks.get_mut(&0).unwrap().frames;
        if frames.len() > 1 {
            frames.pop();
            frames.last_mut().unwrap().stop = POLL;
        }
        self.ran();
    }

    pub fn new_node(&mut self, value: i64) -> Ref {
        Ref::from_slot(new_node(&mut self.heap, &self.program, value))
    }

    /// A new task that waits to take a node from the queue.
    pub fn wait(&mut self) {
        let (queue, id, mark) = (self.var(QUEUE), self.table.next_task, self.heap.interval());
        assert_eq!(self.heap.queue_len(queue), 0);
        self.table.next_task += 1;
        self.heap.queue_wait_get(queue, crate::heap::Waiter { task: id, case: None }).unwrap();
        let frame = SavedFrame { func: TAKER, stop: StopId(0), values: vec![queue.slot()], mark };
        self.table.tasks.insert(id, Task { state: SavedState::Get(queue.slot()), frames: vec![frame], mark });
    }

    /// Puts a node; a task that waits for it can run then.
    pub fn put(&mut self, node: Ref) {
        let (queue, mark) = (self.var(QUEUE), self.heap.interval());
        if let crate::heap::Put::Handed(waiter) = self.heap.queue_put(queue, node.slot()).unwrap() {
            let task = self.table.tasks.get_mut(&waiter.task).unwrap();
            task.state = SavedState::Deliver(node.slot());
            task.mark = mark;
            self.table.ready.push(waiter.task);
        }
    }

    /// Ends the tasks that got a node.
    pub fn end_ready(&mut self) {
        for id in self.table.ready.drain(1..) {
            self.table.tasks.remove(&id);
            self.table.ended.push(id);
        }
    }

    pub fn collect(&mut self) {
        let World { heap, table, .. } = self;
        heap.collect(|roots| table.roots(roots)).unwrap();
    }

    pub fn commit(&mut self) -> Part {
        self.try_commit().unwrap()
    }

    pub fn try_commit(&mut self) -> Result<Part, SnapshotError> {
        let part = snapshot::commit(&mut self.heap, &mut self.ledger, &mut self.table, Urgency::Quiet)?;
        self.store.apply(&part);
        assert_eq!(self.store.0.keys().copied().collect::<Vec<_>>(), self.ledger.part_numbers().collect::<Vec<_>>());
        assert_eq!(self.store.bytes(), self.ledger.stored_bytes());
        Ok(part)
    }

    /// What its parts are, its objects opened when they are reached or at once by turns.
    pub fn restored(&self) -> World {
        let last = self.store.0.keys().last().copied().unwrap_or(0);
        let whole_below = if last.is_multiple_of(3) { u64::MAX } else { 0 };
        restore(&self.program, &self.store, whole_below).unwrap()
    }

    /// The bytes of a snapshot that holds nothing but what lives.
    pub fn live_bytes(&self) -> u64 {
        let mut copy = self.restored();
        copy.ledger = Ledger::new();
        let part = snapshot::commit(&mut copy.heap, &mut copy.ledger, &mut copy.table, Urgency::Quiet).unwrap();
        assert_eq!(part.drop_from, 1);
        part.bytes.len() as u64
    }

    /// Everything that the isolate can see, shared objects and cycles as such.
    pub fn picture(&self) -> Vec<String> {
        let mut painter = Painter { heap: &self.heap, numbers: HashMap::new(), work: Vec::new() };
        let result = self.table.result.map(|slot| painter.of(slot));
        let Table { ready, next_task, next_step, .. } = &self.table;
        let mut out = vec![format!("{ready:?} {next_task} {next_step} {result:?}")];
        for (id, task) in &self.table.tasks {
            let state = match &task.state {
                SavedState::Start(func, args) => format!("start {func} {:?}", painter.refs(args)),
                SavedState::Deliver(slot) => format!("deliver {}", painter.of(*slot)),
                SavedState::Case(case, slot) => format!("case {case} {}", painter.of(*slot)),
                SavedState::Put(slot) => format!("put {}", painter.of(*slot)),
                SavedState::Get(slot) => format!("get {}", painter.of(*slot)),
                SavedState::Lock(slot) => format!("lock {}", painter.of(*slot)),
                SavedState::Group(slot) => format!("group {}", painter.of(*slot)),
                SavedState::Select(slots) => format!("select {:?}", painter.refs(slots)),
                SavedState::Fault(_) | SavedState::Call(..) => format!("{:?}", task.state),
            };
            out.push(format!("task {id} {state}"));
            for frame in &task.frames {
                let func = self.program.module.func(frame.func);
                let listed = func.stop(frame.stop).values.iter().zip(&frame.values);
                let is_ref = |value| self.program.module.types.is_ref(func.ty(value));
                let values: Vec<u64> = listed.map(|(l, slot)| painter.slot(is_ref(l.value), *slot)).collect();
                out.push(format!("{} {} {values:?}", frame.func, frame.stop));
            }
        }
        let mut at = 0;
        while let Some(object) = painter.work.get(at).copied() {
            out.push(painter.paint(object, &self.program.module));
            at += 1;
        }
        out
    }
}

pub fn restore(program: &Arc<Program>, store: &Store, whole_below: u64) -> Result<World, SnapshotError> {
    let restored = snapshot::restore(&program.module, &store.parts(), LIMIT, whole_below)?;
    let task = |t: SavedTask| (t.id, Task { state: t.state, frames: t.frames, mark: t.mark });
    let head = restored.head;
    let table = Table {
        tasks: restored.tasks.into_iter().map(task).collect(),
        ready: head.ready,
        next_task: head.next_task,
        next_step: head.next_step,
        ended: Vec::new(),
        result: head.result,
        module: Some(Arc::clone(&program.module)),
    };
    Ok(World {
        program: Arc::clone(program),
        heap: restored.heap,
        ledger: restored.ledger,
        table,
        store: store.clone(),
    })
}

fn new_node(heap: &mut Heap, program: &Program, value: i64) -> u64 {
    let name = heap.new_str(&format!("node {value}")).unwrap().slot();
    let next = heap.new_list(program.nodes, &[]).unwrap().slot();
    let tags = heap.new_dict(program.tags).unwrap().slot();
    heap.new_object(program.node, &[value as u64, name, next, tags, u64::from(value > 0)]).unwrap().slot()
}

struct Painter<'a> {
    heap: &'a Heap,
    numbers: HashMap<u64, usize>,
    work: Vec<Ref>,
}

impl Painter<'_> {
    /// A number for an object, in the order in which they are met.
    fn of(&mut self, slot: u64) -> usize {
        if slot == 0 {
            return 0;
        }
        let slot = self.heap.opened_ref(Ref::from_slot(slot)).slot();
        let next = self.numbers.len() + 1;
        *self.numbers.entry(slot).or_insert_with(|| {
            self.work.push(Ref::from_slot(slot));
            next
        })
    }

    fn refs(&mut self, slots: &[u64]) -> Vec<usize> {
        slots.iter().map(|s| self.of(*s)).collect()
    }

    fn slot(&mut self, is_ref: bool, slot: u64) -> u64 {
        if is_ref { self.of(slot) as u64 } else { slot }
    }

    fn paint(&mut self, object: Ref, module: &Module) -> String {
        let ty = self.heap.ty(object);
        let is_ref = |ty: TypeId| module.types.is_ref(ty);
        let content = match (self.heap.raw(object), module.types.get(ty)) {
            (Raw::Blob(bytes), _) => format!("{bytes:?}"),
            (Raw::Slots(slots), _) => {
                // A box has one slot, of its own type.
                let types = module.types.slots(ty).unwrap_or_else(|| vec![ty]);
                format!("{:?}", slots.iter().zip(types).map(|(s, ty)| self.slot(is_ref(ty), *s)).collect::<Vec<_>>())
            }
            (Raw::List { items, .. }, Type::List(element) | Type::TupleOf(element)) => {
                format!("{:?}", items.iter().map(|s| self.slot(is_ref(*element), *s)).collect::<Vec<_>>())
            }
            (Raw::Dict { entries, .. }, Type::Dict(key, value)) => {
                // Positions count: a loop may stand at one.
                let live = entries.iter().enumerate().filter(|(_, e)| e.is_live());
                let each = live.map(|(at, e)| (at, self.slot(is_ref(*key), e.key), self.slot(is_ref(*value), e.value)));
                format!("{:?}", each.collect::<Vec<_>>())
            }
            (Raw::Dict { entries, .. }, Type::Set(element) | Type::FrozenSet(element)) => {
                let live = entries.iter().enumerate().filter(|(_, e)| e.is_live());
                format!("{:?}", live.map(|(at, e)| (at, self.slot(is_ref(*element), e.key))).collect::<Vec<_>>())
            }
            (Raw::Queue(queue), _) => {
                let elements: Vec<u64> = queue.elements.slots.iter().copied().collect();
                let (getters, putters) = (self.heap.queue_getters(object), self.heap.queue_putters(object));
                let putters: Vec<_> = putters.into_iter().map(|(w, e)| (w, self.of(e))).collect();
                format!("{} {:?} {getters:?} {putters:?}", queue.capacity, self.refs(&elements))
            }
            (Raw::Lock(lock), _) => format!("{} {:?}", lock.held, self.heap.lock_line(object)),
            (Raw::WaitGroup(group), _) => format!("{} {:?}", group.count, self.heap.wait_group_line(object)),
            _ => unreachable!("kind and type of an object agree"),
        };
        format!("{} {content}", module.types.name(ty))
    }
}
