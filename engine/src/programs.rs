//! Programs made ready to run: those deployed here, and those that isolates still run although something newer is deployed.
//!
//! A program is stored once under its hash before anything refers to it, and read back from the store by whoever needs it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use deepslate_ir::entity::{FuncId, HostId};
use deepslate_ir::image::{self, Image};
use deepslate_ir::module::{Imm, Module};
use deepslate_regvm::{self as regvm, Program};
use deepslate_storage::{self as storage, ProgramHash, Store};

use crate::error::{Error, Kind, Result};
use crate::host::HostFns;
use crate::limits::PROGRAMS_KEPT;

/// A program ready to run, and what each of its functions can reach.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) program: Arc<Program>,
    pub(crate) hash: ProgramHash,
    /// For each function the host functions that it or what it calls may call.
    needs: Vec<Vec<HostId>>,
}

impl Loaded {
    fn new(image: Image, options: regvm::Options) -> Result<Loaded, String> {
        let hash = ProgramHash(image.hash().0);
        let needs = needs(image.module());
        let program = Program::new(image, options).map_err(|error| format!("program {hash}: {error}"))?;
        Ok(Loaded { program, hash, needs })
    }

    pub(crate) fn module(&self) -> &Module {
        self.program.module()
    }

    /// The names of host functions that a flow may call and that are not registered.
    pub(crate) fn missing(&self, flow: FuncId, hosts: &HostFns) -> Vec<String> {
        let needed = self.needs.get(flow.index()).into_iter().flatten();
        let names = needed.map(|id| self.module().host(*id).name.clone());
        names.filter(|name| hosts.get(name).is_none()).collect()
    }
}

/// For each function, the host functions reachable from it, in order.
fn needs(module: &Module) -> Vec<Vec<HostId>> {
    let count = module.funcs.len();
    let mut calls: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut own: Vec<Vec<HostId>> = vec![Vec::new(); count];
    for (at, func) in module.funcs.iter().enumerate() {
        for inst in &func.insts {
            match inst.imm {
                Imm::Func(callee) => calls[at].push(callee.index()),
                Imm::Host(host) => own[at].push(host),
                _ => {}
            }
        }
    }
    let reach = |start: usize| {
        let (mut seen, mut todo, mut found) = (vec![false; count], vec![start], Vec::new());
        seen[start] = true;
        while let Some(at) = todo.pop() {
            found.extend(&own[at]);
            for &callee in &calls[at] {
                if !std::mem::replace(&mut seen[callee], true) {
                    todo.push(callee);
                }
            }
        }
        found.sort();
        found.dedup();
        found
    };
    (0..count).map(reach).collect()
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
