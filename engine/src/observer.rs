//! Looking at isolates that no engine here runs: reads only, no lease, no session. For the command line on a store at rest; what is
//! shared with a running engine's `show` and `result` is here too.

use std::sync::Arc;

use deepslate_ir::image::Image;
use deepslate_regvm::view::View;
use deepslate_regvm::{Isolate, Limits};
use deepslate_storage::{Counts, Filter, Head, IsolateId, ListCursor, ProgramHash, Status, Store};

use crate::api::Which;
use crate::error::{Error, Kind, Result};
use crate::name::check_name;
use crate::options::Options;
use crate::programs::Programs;
use crate::record::{Ending, Record};
use crate::seen::{self, Finished, Listing, RouteShown, Shown, Summary, Vitals};

/// Reads the isolates of one namespace from a store. Calls need a tokio runtime around them.
#[derive(Debug)]
pub struct Observer {
    store: Arc<dyn Store>,
    programs: Programs,
    namespace: String,
    limits: Limits,
}

impl Observer {
    /// Of a store that may be open for reading only.
    pub fn new(store: Arc<dyn Store>, options: &Options) -> Observer {
        let programs = Programs::new(options.vm);
        Observer { store, programs, namespace: options.namespace.clone(), limits: options.isolate }
    }

    /// Unix milliseconds of the store's clock.
    ///
    /// # Errors
    /// What the store says.
    pub async fn now_ms(&self) -> Result<i64> {
        Ok(self.store.now_ms().await?)
    }

    /// A page of the isolates of the namespace, in the order of names.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, which: Which, after: Option<String>, limit: usize) -> Result<Listing> {
        let Which { name_prefix, status, flow } = which;
        let filter = Filter { namespace: Some(self.namespace.clone()), name_prefix, status, flow };
        let after = after.map(|name| ListCursor { namespace: self.namespace.clone(), name });
        let page = self.store.list(&filter, after, limit).await?;
        Ok(Listing {
            isolates: page.heads.into_iter().map(|head| Summary::of(head, None)).collect(),
            damaged: page.damaged.iter().map(ToString::to_string).collect(),
            next: page.next,
        })
    }

    /// How many isolates of the namespace there are of each status.
    ///
    /// # Errors
    /// What the store says.
    pub async fn counts(&self) -> Result<Counts> {
        Ok(self.store.counts(Some(&self.namespace)).await?)
    }

    /// What a listing says of an isolate.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub async fn summary(&self, name: &str) -> Result<Summary> {
        Ok(Summary::of(self.head("show", name).await?, None))
    }

    /// Everything that there is to see of an isolate, as its last commit left it.
    ///
    /// # Errors
    /// `NotFound`, and what the store says. A snapshot that can't be read is no error; the answer says so.
    pub async fn show(&self, name: &str) -> Result<Shown> {
        let head = self.head("show", name).await?;
        let (id, hash, status) = (head.id, head.program, head.status);
        let routes = routes_shown(&*self.store, &self.programs, &head).await;
        let summary = Summary::of(head, None);
        let mut shown = Shown { summary, routes, view: None, vitals: None, view_error: None, live: false };
        if status != Status::Done {
            match at_rest(&*self.store, &self.programs, self.limits, id, hash).await {
                Ok(seen) => (shown.view, shown.vitals) = seen.unzip(),
                Err(error) => shown.view_error = Some(error.to_string()),
            }
        }
        Ok(shown)
    }

    /// How an isolate ended.
    ///
    /// # Errors
    /// `NotFound`, `Timeout` if it has not ended, and what the store says.
    pub async fn result(&self, name: &str) -> Result<Finished> {
        let head = self.head("result", name).await?;
        if !head.status.is_finished() {
            let summary = Summary::of(head, None);
            let what = match summary.status {
                Status::Parked | Status::Paused => format!("`{name}` has not ended; {}", summary.waits()),
                status => format!("`{name}` has not ended; it is {status}"),
            };
            return Err(Error::new(Kind::Timeout, "result", what));
        }
        ended(&*self.store, &self.programs, head).await
    }

    /// A program by its hash, with its source.
    ///
    /// # Errors
    /// `Corrupt` if it is not there or damaged, and what the store says.
    pub async fn program(&self, hash: ProgramHash) -> Result<Image> {
        let loaded = self.programs.load(&*self.store, hash).await?;
        let loaded = loaded.map_err(|what| Error::new(Kind::Corrupt, "program", what))?;
        Ok(loaded.program.image().clone())
    }

    async fn head(&self, operation: &'static str, name: &str) -> Result<Head> {
        check_name(name)?;
        let head = self.store.head_by_name(&self.namespace, name).await?;
        head.ok_or_else(|| Error::new(Kind::NotFound, operation, format!("there is no isolate `{name}`")))
    }
}

/// How an isolate ended, by its head.
pub(crate) async fn ended(store: &dyn Store, programs: &Programs, head: Head) -> Result<Finished> {
    let record = Record::decode(&head.state).map_err(|damage| {
        Error::new(Kind::Corrupt, "result", format!("isolate {} (`{}`): {damage}", head.id, head.name))
    })?;
    let ending = record.ending.ok_or_else(|| {
        Error::new(Kind::Corrupt, "result", format!("isolate {} (`{}`) ended without a result", head.id, head.name))
    })?;
    Ok(make_finished(store, programs, head.id, &head.name, head.flow, ending, head.program).await)
}

/// An ending with the types of its program, if that can be read.
pub(crate) async fn make_finished(
    store: &dyn Store,
    programs: &Programs,
    id: IsolateId,
    name: &str,
    flow: String,
    ending: Ending,
    program: ProgramHash,
) -> Finished {
    let loaded = programs.load(store, program).await.ok().and_then(std::result::Result::ok);
    let func = loaded.as_ref().and_then(|loaded| loaded.module().flow(&flow));
    let declared = loaded.zip(func).map(|(loaded, func)| {
        let module = Arc::clone(loaded.program.image().module());
        let ret = module.func(func).ret;
        (module, ret)
    });
    let (module, ret) = declared.map_or((None, deepslate_ir::types::NONE), |(module, ret)| (Some(module), ret));
    Finished { id, name: name.to_owned(), flow, ending, module, ret }
}

/// The view of an isolate's last commit, without touching it.
pub(crate) async fn at_rest(
    store: &dyn Store,
    programs: &Programs,
    limits: Limits,
    id: IsolateId,
    hash: ProgramHash,
) -> Result<Option<(View, Vitals)>> {
    let corrupt = |what: String| Error::new(Kind::Corrupt, "show", what);
    let Some(snapshot) = store.snapshot(id).await? else { return Ok(None) };
    let record = Record::decode(&snapshot.head.state).map_err(|damage| corrupt(damage.to_string()))?;
    let loaded = programs.load(store, hash).await?.map_err(corrupt)?;
    let parts: Vec<_> = record.parts.iter().zip(snapshot.parts).map(|(number, part)| (*number, part.bytes)).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let restored = tokio::task::spawn_blocking(move || {
        Isolate::restore(&loaded.program, &parts, limits)
            .and_then(|vm| {
                let seen = (vm.view(), Vitals::of(&vm));
                vm.damage().map_or(Ok(seen), Err)
            })
            .map_err(|error| error.to_string())
    });
    match restored.await {
        Ok(view) => view.map(Some).map_err(corrupt),
        Err(error) => Err(corrupt(format!("the machine panicked while it restored it: {error}"))),
    }
}

/// Where an isolate listens; without its program only what its state says.
pub(crate) async fn routes_shown(store: &dyn Store, programs: &Programs, head: &Head) -> Vec<RouteShown> {
    if head.status.is_finished() {
        return Vec::new();
    }
    let loaded = programs.load(store, head.program).await;
    let loaded = loaded.ok().and_then(std::result::Result::ok);
    let func = loaded.as_ref().and_then(|loaded| loaded.module().flow(&head.flow));
    seen::routes(&head.state, loaded.as_deref().zip(func))
}
