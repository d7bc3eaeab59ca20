//! What a person looks at: the tasks of an isolate, where each stands and what its variables hold. Plain values with every
//! size bounded, so that looking never costs more than a few pages, however large the isolate is.

use crate::heap::{Heap, Ref};
use crate::isolate::{Core, waiting};
use crate::stop::{Request, TaskId};
use crate::task::{Frame, Resume, State, Task, Wait};
use crate::trace::TraceLine;
use deepslate_ir::builtins::{Machine, unwrapped};
use deepslate_ir::datum::Datum;
use deepslate_ir::durable::Durable;
use deepslate_ir::entity::{FuncId, TypeId};
use deepslate_ir::json;
use deepslate_ir::module::{Func, Span};
use deepslate_ir::structural::float_repr;
use deepslate_ir::trap::Waiting;
use deepslate_ir::types::{STR, Type};

/// An isolate as a person sees it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct View {
    /// Its live tasks, oldest first; at most `View::TASKS`.
    pub tasks: Vec<TaskView>,
    /// How many more there are.
    pub more_tasks: usize,
}

impl View {
    /// The most tasks that a view shows.
    pub const TASKS: usize = 200;
}

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    /// Its number.
    pub id: TaskId,
    /// What it is doing, in one word.
    pub status: TaskStatus,
    /// What it waits for, in words; empty if it can run.
    pub waits_for: String,
    /// Its frames, innermost first; at most `TaskView::FRAMES`, the outermost one among them.
    pub frames: Vec<FrameView>,
    /// How many more there are, between the last two that are shown.
    pub more_frames: usize,
}

impl TaskView {
    /// The most frames that a view shows of a task.
    pub const FRAMES: usize = 50;
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// It can run.
    Running,
    /// It waits for a timer.
    Sleeping,
    /// It waits for something else.
    Waiting,
}

impl TaskStatus {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            TaskStatus::Running => "running",
            TaskStatus::Sleeping => "sleeping",
            TaskStatus::Waiting => "waiting",
        }
    }
}

/// A frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameView {
    /// Where it stands.
    pub place: TraceLine,
    /// Its named variables that have a value, in the order of their stop's list; at most `FrameView::VARIABLES`.
    pub variables: Vec<Variable>,
    /// How many more there are.
    pub more_variables: usize,
}

impl FrameView {
    /// The most variables that a view shows of a frame.
    pub const VARIABLES: usize = 100;
}

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name in the source.
    pub name: String,
    /// Its type as the source writes it.
    pub ty: String,
    /// Its value in the JSON form, cut to `Variable::PREVIEW` characters. A queue is `{"$queue": how many are in it}`, a lock
    /// `{"$lock": "held"}` or `"free"`, a wait group `{"$wait_group": its count}`.
    pub value: String,
    /// Whether the value was cut.
    pub cut: bool,
}

impl Variable {
    /// The most characters that a preview has.
    pub const PREVIEW: usize = 400;
}

/// The view of an isolate that does not run.
pub(crate) fn view(core: &Core) -> View {
    let all = &core.table.tasks;
    let tasks = all.values().take(View::TASKS).map(|t| task_view(core, t)).collect();
    View { tasks, more_tasks: all.len().saturating_sub(View::TASKS) }
}

fn task_view(core: &Core, task: &Task) -> TaskView {
    let (status, waits_for) = match (&task.state, waiting(&task.state)) {
        (State::Waiting(Wait::Get(queue)), _) => element_of(core, Ref::from_slot(*queue)),
        (_, Some(waiting)) => (TaskStatus::Waiting, waiting.to_string()),
        (State::Waiting(Wait::Durable(step)), _) => durable(core, *step),
        _ => (TaskStatus::Running, String::new()),
    };
    let more_frames = task.frames.len().saturating_sub(TaskView::FRAMES);
    let (outermost, inside) = task.frames.split_first().expect("a live task has a frame");
    let shown = inside[more_frames..].iter().rev().chain([outermost]);
    let frames = shown.map(|f| frame_view(core, task, f)).collect();
    TaskView { id: task.id, status, waits_for, frames, more_frames }
}

/// What a task waits for that waits for an element.
fn element_of(core: &Core, queue: Ref) -> (TaskStatus, String) {
    match (core.heap.queue_name(queue), core.heap.queue_due_ms(queue)) {
        (Some(name), _) => (TaskStatus::Waiting, format!("to get from queue {name}")),
        (None, Some(due_ms)) => {
            let at = float_repr(deepslate_ir::eval::now(due_ms));
            (TaskStatus::Sleeping, format!("for the time to be {at}"))
        }
        (None, None) => (TaskStatus::Waiting, Waiting::Get.to_string()),
    }
}

fn durable(core: &Core, step: u64) -> (TaskStatus, String) {
    match core.table.calls.iter().find(|c| c.step == step).map(|c| &c.request) {
        Some(Request::Sleep { seconds }) => {
            (TaskStatus::Sleeping, format!("for {} seconds to pass", float_repr(*seconds)))
        }
        Some(Request::Host { host, args }) => {
            let name = &core.program.module().host(*host).name;
            let what = match (Durable::from_name(name), &args[..]) {
                (Some(Durable::HttpListen), [Datum::Str(method), Datum::Str(route), ..]) => {
                    format!("for a request {method} {route}, step {step}")
                }
                // What stands before the host and after the path may be secret.
                (Some(Durable::HttpRequest), [Datum::Str(method), Datum::Str(url), ..]) => {
                    let url = url.split(['?', '#']).next().unwrap_or_default();
                    let (scheme, place) = url.split_once("://").unwrap_or(("", url));
                    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
                    format!("for the response to {method} {scheme}://{place}, step {step}")
                }
                _ => format!("for host function {name}, step {step}"),
            };
            (TaskStatus::Waiting, what)
        }
        None => (TaskStatus::Waiting, format!("for step {step}")),
    }
}

fn frame_view(core: &Core, task: &Task, frame: &Frame) -> FrameView {
    let module = core.program.module();
    let id = FuncId(frame.func);
    let (func, code) = (module.func(id), core.program.code(id));
    let regs = &task.regs[frame.base as usize..];
    let variable = |name: &str, ty: TypeId, slot: u64| {
        let (value, cut) = preview(&core.heap, ty, slot);
        Variable { name: name.to_owned(), ty: module.types.name(ty), value, cut }
    };
    // Only of those that are shown a preview is made.
    let mut named: Vec<(&str, TypeId, u64)> = Vec::new();
    let mut place = core.place(frame);
    if task.state == State::Ready(Resume::Start) {
        // Where bytecode begins is the lowering's own business; a task that has not begun stands at its first instruction.
        let first = func.block(Func::ENTRY).insts.first().map_or(Span::NOWHERE, |inst| func.inst(*inst).span);
        (place.line, place.column) = (first.line, first.column);
        named.extend(func.params.iter().zip(&code.params).map(|(p, reg)| (&*p.name, p.ty, regs[usize::from(*reg)])));
    } else if let Some(stop) = core.program.stop_at(frame.pc) {
        let listed = func.stop(stop).values.iter().zip(&code.stops[stop.index()].values);
        named.extend(listed.filter_map(|(l, home)| Some((l.name.as_deref()?, func.ty(l.value), home.value(regs)))));
    }
    let more_variables = named.len().saturating_sub(FrameView::VARIABLES);
    let shown = named.into_iter().take(FrameView::VARIABLES);
    let variables = shown.map(|(name, ty, slot)| variable(name, ty, slot)).collect();
    FrameView { place, variables, more_variables }
}

/// The JSON form of a value, of which nothing is made past the characters that are shown.
fn preview(heap: &Heap, ty: TypeId, slot: u64) -> (String, bool) {
    let mut preview = Preview { heap, out: String::new(), left: Variable::PREVIEW };
    let whole = preview.value(ty, slot, 0).is_some();
    if !whole {
        preview.out.push('…');
    }
    (preview.out, !whole)
}

struct Preview<'a> {
    heap: &'a Heap,
    out: String,
    left: usize,
}

/// How deeply a preview looks into a value.
const PREVIEW_DEPTH: usize = 8;

impl Preview<'_> {
    /// Appends what there is room for; nothing if that is not all.
    fn push(&mut self, text: &str) -> Option<()> {
        for c in text.chars() {
            self.left = self.left.checked_sub(1)?;
            self.out.push(c);
        }
        Some(())
    }

    /// Appends a value that holds no others.
    fn scalar(&mut self, ty: TypeId, datum: &Datum) -> Option<()> {
        let text = json::to_json(&self.heap.module().types, ty, datum);
        self.push(&text)
    }

    /// Appends a sequence as an array.
    fn all(&mut self, items: impl Iterator<Item = (TypeId, u64)>, depth: usize) -> Option<()> {
        self.push("[")?;
        for (index, (ty, slot)) in items.enumerate() {
            if index > 0 {
                self.push(",")?;
            }
            self.value(ty, slot, depth + 1)?;
        }
        self.push("]")
    }

    fn value(&mut self, ty: TypeId, slot: u64, depth: usize) -> Option<()> {
        if depth > PREVIEW_DEPTH {
            return None;
        }
        let heap = self.heap;
        let types = &heap.module().types;
        let (ty, slot) = unwrapped(heap, ty, slot);
        match types.get(ty) {
            Type::Union(_) => unreachable!("no member is a union"),
            Type::None => self.scalar(ty, &Datum::None),
            Type::Bool => self.scalar(ty, &Datum::Bool(slot != 0)),
            Type::Int => self.scalar(ty, &Datum::Int(slot as i64)),
            Type::Float => self.scalar(ty, &Datum::Float(f64::from_bits(slot))),
            Type::Str => {
                // One character more than there is room for, so that a cut is seen to be one.
                let shown: String = Machine::str(heap, slot).chars().take(self.left + 1).collect();
                self.scalar(ty, &Datum::Str(shown))
            }
            Type::Bytes => {
                let bytes = Machine::bytes(heap, slot);
                let shown = bytes[..bytes.len().min(self.left + 1)].to_vec();
                self.scalar(ty, &Datum::Bytes(shown))
            }
            Type::Set(element) | Type::FrozenSet(element) => {
                let mut position = 0;
                let items = std::iter::from_fn(|| {
                    let at = Machine::dict_next(heap, slot, position)?;
                    position = at + 1;
                    Some((*element, Machine::dict_entry(heap, slot, at).0))
                });
                self.all(items, depth)
            }
            Type::List(element) | Type::TupleOf(element) => {
                let items = (0..Machine::list_len(heap, slot)).map(|i| (*element, Machine::list_get(heap, slot, i)));
                self.all(items, depth)
            }
            Type::Dict(key, value) => {
                let by_name = *key == STR;
                self.push(if by_name { "{" } else { "{\"$dict\":[" })?;
                let mut position = 0;
                while let Some(at) = Machine::dict_next(heap, slot, position) {
                    if position > 0 {
                        self.push(",")?;
                    }
                    let (k, v) = Machine::dict_entry(heap, slot, at);
                    self.push(if by_name { "" } else { "[" })?;
                    self.value(*key, k, depth + 1)?;
                    self.push(if by_name { ":" } else { "," })?;
                    self.value(*value, v, depth + 1)?;
                    self.push(if by_name { "" } else { "]" })?;
                    position = at + 1;
                }
                self.push(if by_name { "}" } else { "]}" })
            }
            Type::Tuple(parts) => {
                let items = parts.iter().enumerate().map(|(i, ty)| (*ty, Machine::slot(heap, slot, i)));
                self.all(items, depth)
            }
            // Outside a member of an enumeration is its value, which is in its second slot.
            Type::Class(class) if types.enumeration(*class).is_some() => {
                self.value(types.class(*class).fields[1].ty, Machine::slot(heap, slot, 1), depth)
            }
            Type::Class(class) => {
                let class = types.class(*class);
                self.push("{")?;
                for (index, field) in class.fields.iter().enumerate() {
                    if index > 0 {
                        self.push(",")?;
                    }
                    self.scalar(STR, &Datum::Str(field.name.clone()))?;
                    self.push(":")?;
                    self.value(field.ty, Machine::slot(heap, slot, index), depth + 1)?;
                }
                self.push("}")
            }
            // These never cross the border and have no JSON form of their own: what of them can be told in a word.
            Type::Queue(_) => self.push(&format!("{{\"$queue\":{}}}", Machine::queue_len(heap, slot))),
            Type::Lock => {
                let held = heap.lock_held(Ref::from_slot(slot));
                self.push(&format!("{{\"$lock\":\"{}\"}}", if held { "held" } else { "free" }))
            }
            Type::WaitGroup => {
                let count = heap.wait_group_count(Ref::from_slot(slot));
                self.push(&format!("{{\"$wait_group\":{count}}}"))
            }
        }
    }
}
