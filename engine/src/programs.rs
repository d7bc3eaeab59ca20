//! Programs made ready to run: those deployed here, and those that isolates still run although something newer is deployed.
//!
//! A program is stored once under its hash before anything refers to it, and read back from the store by whoever needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use deepslate_ir::durable::Durable;
use deepslate_ir::entity::{FuncId, HostId, Value};
use deepslate_ir::image::{self, Image};
use deepslate_ir::module::{Constant, Func, Imm, Module};
use deepslate_ir::ops::Op;
use deepslate_regvm::{self as regvm, Program};
use deepslate_storage::{self as storage, ProgramHash, Store};

use crate::error::{Error, Kind, Result};
use crate::host::HostFns;
use crate::http::route::Route;
use crate::limits::PROGRAMS_KEPT;

/// A program ready to run, and what each of its functions can reach.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) program: Arc<Program>,
    pub(crate) hash: ProgramHash,
    /// For each function the host functions that it or what it calls may call.
    needs: Vec<Vec<HostId>>,
    /// Which host functions the engine answers itself.
    durable: Vec<Option<Durable>>,
    /// For each function the routes that it or what it calls names literally.
    routes: Vec<BTreeSet<Route>>,
}

impl Loaded {
    fn new(image: Image, options: regvm::Options) -> Result<Loaded, String> {
        let hash = ProgramHash(image.hash().0);
        let module = image.module();
        let durable: Vec<_> = module.hosts.iter().map(|host| Durable::from_name(&host.name)).collect();
        let reaches = reaches(module);
        let needs = needs(module, &reaches, &durable);
        let routes = routes(module, &reaches, &durable);
        let program = Program::new(image, options).map_err(|error| format!("program {hash}: {error}"))?;
        Ok(Loaded { program, hash, needs, durable, routes })
    }

    pub(crate) fn module(&self) -> &Module {
        self.program.module()
    }

    /// What the engine itself answers of this host function's calls.
    pub(crate) fn durable(&self, host: HostId) -> Option<Durable> {
        self.durable.get(host.index()).copied().flatten()
    }

    /// The routes that are open for a flow from its spawn on.
    pub(crate) fn routes(&self, flow: FuncId) -> &BTreeSet<Route> {
        &self.routes[flow.index()]
    }

    /// The names of host functions that a flow may call and that are not registered.
    pub(crate) fn missing(&self, flow: FuncId, hosts: &HostFns) -> Vec<String> {
        let needed = self.needs.get(flow.index()).into_iter().flatten();
        let names = needed.map(|id| self.module().host(*id).name.clone());
        names.filter(|name| hosts.get(name).is_none()).collect()
    }
}

/// For each function, the functions reachable from it, itself among them.
fn reaches(module: &Module) -> Vec<Vec<usize>> {
    let count = module.funcs.len();
    let callees = |func: &Func| -> Vec<usize> {
        let callee = |inst: &deepslate_ir::module::InstData| match inst.imm {
            Imm::Func(callee) => Some(callee.index()),
            _ => None,
        };
        func.insts.iter().filter_map(callee).collect()
    };
    let calls: Vec<_> = module.funcs.iter().map(callees).collect();
    let reach = |start: usize| {
        let (mut seen, mut todo, mut found) = (vec![false; count], vec![start], Vec::new());
        seen[start] = true;
        while let Some(at) = todo.pop() {
            found.push(at);
            for &callee in &calls[at] {
                if !std::mem::replace(&mut seen[callee], true) {
                    todo.push(callee);
                }
            }
        }
        found
    };
    (0..count).map(reach).collect()
}

/// For each function, the host functions reachable from it that somebody must register, in order.
fn needs(module: &Module, reaches: &[Vec<usize>], durable: &[Option<Durable>]) -> Vec<Vec<HostId>> {
    let own = |func: &Func| -> Vec<HostId> {
        let host = |inst: &deepslate_ir::module::InstData| match inst.imm {
            Imm::Host(host) if durable[host.index()].is_none() => Some(host),
            _ => None,
        };
        func.insts.iter().filter_map(host).collect()
    };
    let own: Vec<_> = module.funcs.iter().map(own).collect();
    let all = |reached: &Vec<usize>| {
        let mut found: Vec<_> = reached.iter().flat_map(|at| own[*at].iter().copied()).collect();
        found.sort();
        found.dedup();
        found
    };
    reaches.iter().map(all).collect()
}

/// For each function, the routes of listens reachable from it whose method and path are constants. One that is no route is left
/// out: its listen is a trap.
fn routes(module: &Module, reaches: &[Vec<usize>], durable: &[Option<Durable>]) -> Vec<BTreeSet<Route>> {
    let own = |func: &Func| -> BTreeSet<Route> {
        let listens = func
            .insts
            .iter()
            .filter(|inst| matches!(inst.imm, Imm::Host(host) if durable[host.index()] == Some(Durable::HttpListen)));
        let route = |args: &[Value]| {
            let [method, path, ..] = args else { return None };
            Route::named(text(module, func, *method)?, text(module, func, *path)?).ok()
        };
        listens.filter_map(|inst| route(&inst.args)).collect()
    };
    let own: Vec<_> = module.funcs.iter().map(own).collect();
    reaches.iter().map(|reached| reached.iter().flat_map(|at| own[*at].iter().cloned()).collect()).collect()
}

/// The text that a value is, where it is a constant.
fn text<'a>(module: &'a Module, func: &Func, value: Value) -> Option<&'a str> {
    let made = func.insts.iter().find(|inst| inst.result == Some(value))?;
    match (made.op, &made.imm) {
        (Op::Const, Imm::Const(constant)) => match module.constant(*constant) {
            Constant::Str(text) => Some(text),
            Constant::Bytes(_) => None,
        },
        _ => None,
    }
}

/// A flow that can be spawned here.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) flow: FuncId,
}

#[derive(Debug)]
pub(crate) struct Programs {
    options: regvm::Options,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By the name of the flow; the last deployed wins.
    flows: BTreeMap<String, Deployed>,
    loaded: HashMap<ProgramHash, Arc<Loaded>>,
    /// The order in which those that are not deployed are forgotten.
    recent: VecDeque<ProgramHash>,
}

impl Programs {
    pub(crate) fn new(options: regvm::Options) -> Programs {
        Programs { options, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a program and makes its flows the ones to spawn under their names.
    pub(crate) async fn deploy(&self, store: &dyn Store, image: &Image) -> Result<ProgramHash> {
        let hash = ProgramHash(image.hash().0);
        let known = self.inner().loaded.get(&hash).cloned();
        let loaded = match known {
            Some(loaded) => loaded,
            None => {
                let loaded = Loaded::new(image.clone(), self.options);
                Arc::new(loaded.map_err(|message| Error::new(Kind::Program, "deploy", message))?)
            }
        };
        store.put_program(hash, Bytes::copy_from_slice(image.bytes())).await?;
        let mut inner = self.inner();
        inner.loaded.insert(hash, Arc::clone(&loaded));
        for flow in image.module().flows() {
            let name = image.module().func(flow).name.clone();
            inner.flows.insert(name, Deployed { loaded: Arc::clone(&loaded), flow });
        }
        Ok(hash)
    }

    /// The flow to spawn under this name.
    pub(crate) fn flow(&self, name: &str) -> Option<Deployed> {
        self.inner().flows.get(name).cloned()
    }

    /// All flows that can be spawned, by name.
    pub(crate) fn flows(&self) -> Vec<(String, Deployed)> {
        self.inner().flows.iter().map(|(name, deployed)| (name.clone(), deployed.clone())).collect()
    }

    /// A program that is in memory.
    pub(crate) fn get(&self, hash: ProgramHash) -> Option<Arc<Loaded>> {
        self.inner().loaded.get(&hash).cloned()
    }

    /// The program of a hash, read from the store if need be. `Ok(Err)` says what is wrong with the program itself.
    pub(crate) async fn load(
        &self,
        store: &dyn Store,
        hash: ProgramHash,
    ) -> storage::Result<std::result::Result<Arc<Loaded>, String>> {
        if let Some(loaded) = self.get(hash) {
            return Ok(Ok(loaded));
        }
        let bytes = match store.program(hash).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Err(format!("program {hash} is not in the store"))),
            Err(error) if error.kind() == storage::Kind::Corrupt => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        let options = self.options;
        let opened = tokio::task::spawn_blocking(move || {
            let image = Image::open_as(bytes.to_vec(), image::ProgramHash(hash.0));
            image.map_err(|error| format!("program {hash}: {error}")).and_then(|image| Loaded::new(image, options))
        });
        let loaded = match opened.await {
            Ok(Ok(loaded)) => Arc::new(loaded),
            Ok(Err(message)) => return Ok(Err(message)),
            Err(error) => return Ok(Err(format!("program {hash} could not be opened, which is a bug: {error}"))),
        };
        let mut inner = self.inner();
        let loaded = Arc::clone(inner.loaded.entry(hash).or_insert(loaded));
        inner.recent.push_back(hash);
        while inner.recent.len() > PROGRAMS_KEPT {
            if let Some(old) = inner.recent.pop_front()
                && !inner.flows.values().any(|deployed| deployed.loaded.hash == old)
                && !inner.recent.contains(&old)
            {
                inner.loaded.remove(&old);
            }
        }
        Ok(Ok(loaded))
    }
}
