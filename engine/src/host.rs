//! Host functions: the user's own code, called by flows and run outside the VM.
//!
//! They are found by name when they are called. A pure one is called on the worker thread that runs the flow; an impure one
//! on the I/O runtime, only after the commit that holds the call is durable, at least once and always with the same
//! idempotency key. Values cross as copies.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use deepslate_ir::datum::Datum;
use deepslate_ir::dserror::DSError;
use deepslate_ir::entity::HostId;
use deepslate_ir::module::{Host as Signature, Module};
use deepslate_ir::trap::{Fault, TrapKind};
use deepslate_ir::types::Types;
use deepslate_regvm::Program;
use deepslate_storage::IsolateId;
use tokio::runtime::Handle;

use crate::retry::{CallOptions, Rules};

/// Who calls, and which time it is.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The isolate.
    pub isolate: IsolateId,
    /// Its name.
    pub name: Arc<str>,
    /// The flow it runs.
    pub flow: Arc<str>,
    /// The number of this durable call in its isolate, from 0. A pure call is no durable call and has none.
    pub step: Option<u64>,
    /// How often this step was started, this time included; 1 for a pure call.
    pub attempt: u32,
}

impl CallContext {
    /// The idempotency key of an impure call: `isolate id/step`, the same at each attempt.
    pub fn idempotency_key(&self) -> Option<String> {
        self.step.map(|step| format!("{}/{step}", self.isolate))
    }
}

/// One call of a host function.
#[derive(Clone, Debug)]
pub struct HostCall {
    /// One value for each parameter, of the declared types.
    pub args: Vec<Datum>,
    /// Who calls.
    pub context: CallContext,
    pub(crate) program: Arc<Program>,
    pub(crate) host: HostId,
}

impl HostCall {
    /// What the program declares: name, parameters, result.
    pub fn signature(&self) -> &Signature {
        self.program.module().host(self.host)
    }

    /// The calling program, in whose types the signature is written.
    pub fn module(&self) -> &Module {
        self.program.module()
    }
}

/// What a host function says when it fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostError {
    /// The type of the exception or error; may be empty.
    pub type_name: String,
    /// More names for its type: the full one, and those of the types that it is one of. By them [`CallOptions::retry_on`] knows
    /// it, too; may be empty.
    pub types: Vec<String>,
    /// What went wrong.
    pub message: String,
    /// Where, in the host's words; may be empty.
    pub traceback: String,
}

impl HostError {
    /// An error with this message only.
    pub fn new(message: impl Into<String>) -> HostError {
        HostError { message: message.into(), ..HostError::default() }
    }

    /// What an impure call gives that ended so: a DSError if the function declares that it may give one, else a trap.
    pub(crate) fn into_result(self, function: &Signature, types: &Types) -> Result<Datum, Fault> {
        let HostError { type_name, types: _, message, traceback } = self.clone();
        let error = DSError { type_name, traceback, ..DSError::new("exception", message) };
        error.into_datum(types, function.ret).ok_or_else(|| self.into_fault(&function.name))
    }

    /// As a trap of the flow.
    pub(crate) fn into_fault(self, function: &str) -> Fault {
        let HostError { type_name, types: _, message, traceback } = self;
        let mut text = format!("{function}: ");
        if !type_name.is_empty() {
            text.push_str(&type_name);
            text.push_str(if message.is_empty() { "" } else { ": " });
        }
        text.push_str(&message);
        if !traceback.is_empty() {
            text.push('\n');
            text.push_str(traceback.trim_end());
        }
        Fault::new(TrapKind::Host, text)
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

/// A host function.
#[async_trait]
pub trait HostFn: Send + Sync + 'static {
    /// Calls it. Runs on the I/O runtime: what blocks belongs on a thread of its own. A panic counts as an error.
    async fn call(&self, call: HostCall) -> Result<Datum, HostError>;

    /// Calls it from a worker thread that waits for it, as a pure one is called. One that needs no runtime does it directly.
    fn call_now(&self, runtime: &Handle, call: HostCall) -> Result<Datum, HostError> {
        runtime.block_on(self.call(call))
    }
}

struct Async<F>(F);

#[async_trait]
impl<F, R> HostFn for Async<F>
where
    F: Fn(HostCall) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Datum, HostError>> + Send + 'static,
{
    async fn call(&self, call: HostCall) -> Result<Datum, HostError> {
        (self.0)(call).await
    }
}

/// A host function from an async closure.
pub fn asynchronous<F, R>(function: F) -> Arc<dyn HostFn>
where
    F: Fn(HostCall) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Datum, HostError>> + Send + 'static,
{
    Arc::new(Async(function))
}

struct Blocking<F>(Arc<F>);

#[async_trait]
impl<F> HostFn for Blocking<F>
where
    F: Fn(HostCall) -> Result<Datum, HostError> + Send + Sync + 'static,
{
    async fn call(&self, call: HostCall) -> Result<Datum, HostError> {
        let function = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || function(call)).await {
            Ok(result) => result,
            Err(error) => Err(HostError::new(format!("the host function panicked: {error}"))),
        }
    }

    fn call_now(&self, _: &Handle, call: HostCall) -> Result<Datum, HostError> {
        (self.0)(call)
    }
}

/// A host function from a closure that may block.
pub fn blocking<F>(function: F) -> Arc<dyn HostFn>
where
    F: Fn(HostCall) -> Result<Datum, HostError> + Send + Sync + 'static,
{
    Arc::new(Blocking(Arc::new(function)))
}

/// A host function as it is called: with its rules, which calls of it share.
#[derive(Clone)]
pub(crate) struct Callable {
    pub(crate) function: Arc<dyn HostFn>,
    pub(crate) rules: Arc<Rules>,
}

/// The host functions of one engine, by name.
#[derive(Clone, Default)]
pub struct HostFns(Arc<RwLock<Inner>>);

#[derive(Default)]
struct Inner {
    functions: HashMap<String, Arc<dyn HostFn>>,
    rules: HashMap<String, Arc<Rules>>,
}

impl HostFns {
    /// None.
    pub fn new() -> HostFns {
        HostFns::default()
    }

    fn inner(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a function under a name, in place of one that is there.
    pub fn register(&self, name: impl Into<String>, function: Arc<dyn HostFn>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).functions.insert(name.into(), function);
    }

    /// Says how the impure function of this name is called, whether it is registered already or later. Calls under way go on as
    /// they began.
    ///
    /// # Errors
    /// What is wrong with the options, naming the one.
    pub fn configure(&self, name: impl Into<String>, options: CallOptions) -> Result<(), String> {
        let rules = Arc::new(Rules::new(options)?);
        self.0.write().unwrap_or_else(PoisonError::into_inner).rules.insert(name.into(), rules);
        Ok(())
    }

    /// The function of this name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn HostFn>> {
        self.inner().functions.get(name).cloned()
    }

    /// How the function of this name is called.
    pub fn options(&self, name: &str) -> CallOptions {
        self.inner().rules.get(name).map(|rules| rules.options().clone()).unwrap_or_default()
    }

    /// The function of this name with its rules.
    pub(crate) fn callable(&self, name: &str) -> Option<Callable> {
        let inner = self.inner();
        let function = Arc::clone(inner.functions.get(name)?);
        Some(Callable { function, rules: inner.rules.get(name).cloned().unwrap_or_default() })
    }

    /// All names, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.inner().functions.keys().cloned().collect();
        names.sort();
        names
    }
}

impl fmt::Debug for HostFns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostFns").field(&self.names()).finish()
    }
}
