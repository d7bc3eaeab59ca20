//! Host functions in Python. They run on threads of our own that stay attached to the interpreter and drain a queue, since
//! attaching a foreign thread costs about 10 µs a call; the engine's own threads never hold the interpreter's lock.

use crate::convert::{Classes, to_datum, to_python};
use async_trait::async_trait;
use deepslate::engine::{CallOptions, HostCall, HostError, HostFn, HostFns};
use deepslate::ir::datum::Datum;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyTypeMethods};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Threads that call impure functions, at most.
const IMPURE_THREADS: usize = 64;

/// What a thread of the pool does, attached to the interpreter.
type Job = Box<dyn for<'py> FnOnce(Python<'py>) + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    idle: usize,
    threads: usize,
    closed: bool,
}

/// Threads that stay attached to the interpreter. They start as they are needed, up to a bound, and end with `close`.
pub struct Pool {
    queue: Mutex<Queue>,
    ready: Condvar,
    most: usize,
    name: &'static str,
}

impl Pool {
    /// A pool of at most this many threads.
    fn new(name: &'static str, most: usize) -> Arc<Pool> {
        Arc::new(Pool { queue: Mutex::default(), ready: Condvar::new(), most, name })
    }

    /// The pools of one platform: for impure functions, which wait more than they work, and for pure ones.
    pub fn both() -> (Arc<Pool>, Arc<Pool>) {
        (Pool::new("deepslate-impure", IMPURE_THREADS), Pool::new("deepslate-pure", 1))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a job. After `close` it is dropped, so that whoever waits for its answer sees the channel closed.
    pub fn submit(self: &Arc<Pool>, job: impl for<'py> FnOnce(Python<'py>) + Send + 'static) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        queue.jobs.push_back(Box::new(job));
        if queue.idle < queue.jobs.len() && queue.threads < self.most {
            queue.threads += 1;
            let pool = Arc::clone(self);
            let started = std::thread::Builder::new().name(self.name.to_owned()).spawn(move || pool.work());
            if started.is_err() {
                queue.threads -= 1;
            }
        }
        drop(queue);
        self.ready.notify_one();
    }

    /// Ends the threads once they are done with what they do; what waits is dropped.
    pub fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.jobs.clear();
        drop(queue);
        self.ready.notify_all();
    }

    fn work(&self) {
        // The outer attachment keeps the thread's state; detaching releases the interpreter's lock while it waits.
        Python::attach(|py| {
            py.detach(|| {
                while let Some(job) = self.next() {
                    Python::attach(|py| {
                        job(py);
                        // What has come meanwhile runs under the same attachment.
                        while let Some(job) = self.at_hand() {
                            job(py);
                        }
                    });
                }
            });
        });
    }

    fn at_hand(&self) -> Option<Job> {
        self.lock().jobs.pop_front()
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                queue.threads -= 1;
                return None;
            }
            queue.idle += 1;
            queue = self.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

/// One host function of the user's, called by way of `deepslate._host.call`.
struct PyHostFn {
    function: Py<PyAny>,
    trampoline: Py<PyAny>,
    /// The seconds that a call may take: a coroutine is cancelled then.
    timeout: Option<f64>,
    classes: Arc<Classes>,
    impure: Arc<Pool>,
    pure: Arc<Pool>,
}

impl PyHostFn {
    fn run(&self, py: Python<'_>, call: &HostCall) -> Result<Datum, HostError> {
        self.call_python(py, call).map_err(|error| host_error(py, &error))
    }

    fn call_python(&self, py: Python<'_>, call: &HostCall) -> PyResult<Datum> {
        let types = &call.module().types;
        let signature = call.signature();
        let params = signature.params.iter().zip(&call.args);
        let args =
            params.map(|(p, datum)| to_python(py, types, &self.classes, p.ty, datum)).collect::<PyResult<Vec<_>>>()?;
        let context = &call.context;
        let place = (
            context.isolate.to_string(),
            &*context.name,
            &*context.flow,
            context.step,
            context.attempt,
            context.idempotency_key(),
        );
        let result = self.trampoline.bind(py).call1((&self.function, PyTuple::new(py, args)?, place, self.timeout))?;
        to_datum(types, signature.ret, &result, &format!("the result of {}", signature.name))
    }
}

/// The host functions of a program, by name, with their options, and the Python classes that they share.
pub fn host_fns(
    py: Python<'_>,
    functions: &Bound<'_, PyDict>,
    options: &Bound<'_, PyDict>,
    classes: &Bound<'_, PyDict>,
    impure: &Arc<Pool>,
    pure: &Arc<Pool>,
) -> PyResult<(HostFns, Arc<Classes>)> {
    let maker = py.import("deepslate._host")?.getattr("maker")?;
    let made =
        |(name, class): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Ok((name.extract()?, maker.call1((class,))?.unbind()));
    let classes = classes.iter().map(made).collect::<PyResult<_>>()?;
    let classes: Arc<Classes> = Arc::new(classes);
    let trampoline = py.import("deepslate._host")?.getattr("call")?;
    let registry = HostFns::new();
    for (name, options) in options.iter() {
        let configured = registry.configure(name.extract::<String>()?, call_options(&options)?);
        configured.map_err(|what| PyValueError::new_err(format!("@impure on {name}: {what}")))?;
    }
    for (name, function) in functions.iter() {
        let timeout = registry.options(&name.extract::<String>()?).timeout;
        let function = PyHostFn {
            timeout: timeout.map(|timeout| timeout.as_secs_f64()),
            function: function.unbind(),
            trampoline: trampoline.clone().unbind(),
            classes: Arc::clone(&classes),
            impure: Arc::clone(impure),
            pure: Arc::clone(pure),
        };
        registry.register(name.extract::<String>()?, Arc::new(Shared(Arc::new(function))));
    }
    Ok((registry, classes))
}

/// Reads `deepslate._options.Options`.
fn call_options(options: &Bound<'_, PyAny>) -> PyResult<CallOptions> {
    let (retries, backoff, timeout, concurrency, retry_on): (u32, f64, Option<f64>, Option<usize>, Vec<String>) =
        options.extract()?;
    let duration = |seconds| Duration::try_from_secs_f64(seconds).map_err(|e| PyValueError::new_err(e.to_string()));
    let (backoff, timeout) = (duration(backoff)?, timeout.map(duration).transpose()?);
    Ok(CallOptions { retries, backoff, timeout, concurrency, retry_on })
}

fn host_error(py: Python<'_>, error: &PyErr) -> HostError {
    let type_name = error.get_type(py).name().map_or_else(|_| String::new(), |n| n.to_string());
    let traceback = error.traceback(py).and_then(|t| t.format().ok()).unwrap_or_default();
    // As `deepslate._options.full_name` has them.
    let full_name = |class: Bound<'_, PyAny>| {
        let (module, name) = (class.getattr("__module__").ok()?, class.getattr("__qualname__").ok()?);
        Some(format!("{module}.{name}"))
    };
    let types = error.get_type(py).mro().iter().filter_map(full_name).collect();
    HostError { type_name, types, message: error.value(py).to_string(), traceback }
}

/// What the engine holds; calls under way keep the function alive.
struct Shared(Arc<PyHostFn>);

#[async_trait]
impl HostFn for Shared {
    async fn call(&self, call: HostCall) -> Result<Datum, HostError> {
        let (send, receive) = oneshot::channel();
        let this = Arc::clone(&self.0);
        self.0.impure.submit(move |py| {
            let _ = send.send(this.run(py, &call));
        });
        receive.await.unwrap_or_else(|_| Err(HostError::new("the platform is closing")))
    }

    fn call_now(&self, _: &Handle, call: HostCall) -> Result<Datum, HostError> {
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        let this = Arc::clone(&self.0);
        self.0.pure.submit(move |py| {
            let _ = send.send(this.run(py, &call));
        });
        receive.recv().unwrap_or_else(|_| Err(HostError::new("the platform is closing")))
    }
}
