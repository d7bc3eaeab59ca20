//! A platform: an open store and, once flows are given, an engine on it.

use crate::convert::{Classes, to_datum, to_json, to_python};
use crate::errors;
use crate::host::{Pool, host_fns};
use deepslate::engine::{Ending, Engine, Finished, Which};
use deepslate::frontend::{Options as FrontendOptions, Source, compile};
use deepslate::ir::datum::Datum;
use deepslate::ir::image::Image;
use deepslate::ir::module::Module;
use deepslate::storage::Store;
use deepslate::{Config, open_store};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// An open store, and the engine on it once it is started.
#[pyclass(frozen)]
pub struct Platform {
    config: Config,
    runtime: Mutex<Option<Runtime>>,
    store: Mutex<Option<Arc<dyn Store>>>,
    running: Mutex<Option<Arc<Running>>>,
}

struct Running {
    engine: Engine,
    module: Arc<Module>,
    classes: Arc<Classes>,
    impure: Arc<Pool>,
    pure: Arc<Pool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Log lines of the engine go to standard error as `DEEPSLATE_LOG` says; warnings and errors by default.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DEEPSLATE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // An application that embeds several platforms has one log; the first one wins.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

impl Platform {
    fn open(py: Python<'_>, config: Config) -> PyResult<Platform> {
        start_log();
        // Store and engine share it, since a store's connections belong to the runtime that it was opened on.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(config.options().io_threads)
            .thread_name("deepslate-io")
            .enable_all()
            .build()
            .map_err(|error| PyRuntimeError::new_err(format!("the I/O runtime can't be made: {error}")))?;
        let opened = py.detach(|| runtime.block_on(open_store(&config)));
        let store = opened.map_err(|error| errors::ours(py, "StoreError", &error.to_string()))?;
        let (store, runtime) = (Mutex::new(Some(store)), Mutex::new(Some(runtime)));
        Ok(Platform { config, runtime, store, running: Mutex::new(None) })
    }

    fn running(&self) -> PyResult<Arc<Running>> {
        lock(&self.running).clone().ok_or_else(|| {
            PyRuntimeError::new_err(
                "no flows are given to this platform yet: call spawn_workers(workers, platform, flows) first",
            )
        })
    }

    /// Waits for the engine on this thread, without the interpreter's lock. A signal handler of Python's runs meanwhile, so that
    /// Ctrl+C is not held up by a long wait.
    fn wait<T: Send>(
        py: Python<'_>,
        running: &Running,
        work: impl Future<Output = deepslate::engine::Result<T>> + Send,
    ) -> PyResult<T> {
        let engine = &running.engine;
        let mut work = std::pin::pin!(work);
        loop {
            let step = py.detach(|| {
                engine.block_on(async { tokio::time::timeout(Duration::from_millis(100), work.as_mut()).await })
            });
            match step {
                Ok(result) => return result.map_err(|error| errors::of_engine(py, &error)),
                Err(_) => py.check_signals()?,
            }
        }
    }
}

#[pymethods]
impl Platform {
    #[staticmethod]
    fn embedded(py: Python<'_>, path: &str) -> PyResult<Platform> {
        let mut config = Config::default();
        config.store.backend = "embedded".into();
        config.backends.insert("embedded".into(), [("path".to_owned(), path.to_owned())].into());
        Platform::open(py, config)
    }

    /// A platform on a backend with these settings, and these of the engine (see `Config`).
    #[staticmethod]
    fn on(
        py: Python<'_>,
        backend: &str,
        settings: std::collections::BTreeMap<String, String>,
        node_id: u64,
        lease_seconds: f64,
    ) -> PyResult<Platform> {
        let mut config = Config::default();
        config.store.backend = backend.into();
        config.backends.insert(backend.into(), settings);
        (config.engine.node_id, config.engine.lease_seconds) = (node_id, lease_seconds);
        Platform::open(py, config)
    }

    #[staticmethod]
    fn configured(py: Python<'_>, path: Option<&str>) -> PyResult<Platform> {
        let config = Config::load(path.map(Path::new)).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Platform::open(py, config)
    }

    #[expect(clippy::too_many_arguments, reason = "one call from our own Python code, which names each")]
    fn start(
        &self,
        py: Python<'_>,
        workers: usize,
        sources: Vec<(String, u32, String)>,
        constants: &Bound<'_, PyDict>,
        hosts: &Bound<'_, PyDict>,
        host_options: &Bound<'_, PyDict>,
        classes: &Bound<'_, PyDict>,
        http: Option<String>,
    ) -> PyResult<()> {
        if lock(&self.running).is_some() {
            return Err(PyRuntimeError::new_err(
                "this platform runs flows already: pass all flows to one spawn_workers",
            ));
        }
        let store =
            lock(&self.store).clone().ok_or_else(|| PyRuntimeError::new_err("this deepslate platform is closed"))?;
        let image = self.image(py, sources, constants)?;
        let module = Arc::clone(image.module());
        let (impure, pure) = Pool::both();
        let (registry, classes) = host_fns(py, hosts, host_options, classes, &impure, &pure)?;
        let mut options = self.config.options();
        options.workers = workers;
        options.http.address = http.or_else(|| self.config.http_address()).filter(|address| !address.is_empty());
        let runtime = lock(&self.runtime).as_ref().map(|runtime| runtime.handle().clone());
        let runtime = runtime.ok_or_else(|| PyRuntimeError::new_err("this deepslate platform is closed"))?;
        let builder = Engine::builder(store).options(options).hosts(registry).deploy(image).runtime(runtime);
        let engine = py.detach(|| builder.start_blocking()).map_err(|error| errors::of_engine(py, &error))?;
        *lock(&self.running) = Some(Arc::new(Running { engine, module, classes, impure, pure }));
        Ok(())
    }

    fn spawn(&self, py: Python<'_>, name: &str, flow: &str, args: &Bound<'_, PyDict>) -> PyResult<(String, bool)> {
        let running = self.running()?;
        let args = running.args(flow, args)?;
        let spawned = Platform::wait(py, &running, running.engine.spawn(name, flow, args))?;
        Ok((spawned.id.to_string(), spawned.exists))
    }

    fn spawn_later(&self, name: String, flow: String, args: &Bound<'_, PyDict>, callback: Py<PyAny>) -> PyResult<()> {
        let running = self.running()?;
        let args = running.args(&flow, args)?;
        let this = Arc::clone(&running);
        running.engine.runtime().spawn(async move {
            let spawned = this.engine.spawn(&name, &flow, args).await;
            this.impure.clone().submit(move |py| {
                let value = spawned
                    .map_err(|error| errors::of_engine(py, &error))
                    .and_then(|s| Ok((s.id.to_string(), s.exists).into_pyobject(py)?.into_any()));
                settle(py, &callback, value);
            });
        });
        Ok(())
    }

    fn result<'py>(&self, py: Python<'py>, name: &str, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        let running = self.running()?;
        let finished = Platform::wait(py, &running, running.engine.result(name, seconds(timeout)?))?;
        running.value(py, &finished)
    }

    fn result_later(&self, name: String, timeout: Option<f64>, callback: Py<PyAny>) -> PyResult<()> {
        let running = self.running()?;
        let timeout = seconds(timeout)?;
        let this = Arc::clone(&running);
        running.engine.runtime().spawn(async move {
            let finished = this.engine.result(&name, timeout).await;
            let values = Arc::clone(&this);
            this.impure.clone().submit(move |py| {
                let value = finished.map_err(|error| errors::of_engine(py, &error));
                let value = value.and_then(|finished| values.value(py, &finished));
                settle(py, &callback, value);
            });
        });
        Ok(())
    }

    fn cancel(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let running = self.running()?;
        Ok(Platform::wait(py, &running, running.engine.cancel(name))?.changed)
    }

    fn pause(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let running = self.running()?;
        Ok(Platform::wait(py, &running, running.engine.pause(name))?.changed)
    }

    fn resume(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let running = self.running()?;
        Ok(Platform::wait(py, &running, running.engine.resume(name))?.changed)
    }

    fn send(
        &self,
        py: Python<'_>,
        name: &str,
        queue: &str,
        value: &Bound<'_, PyAny>,
        id: Option<&str>,
    ) -> PyResult<bool> {
        let running = self.running()?;
        let json = to_json(value, &format!("the value for queue `{queue}`"))?;
        Ok(Platform::wait(py, &running, running.engine.send_json(name, queue, &json, id))?.changed)
    }

    fn list<'py>(
        &self,
        py: Python<'py>,
        status: Option<&str>,
        flow: Option<String>,
        prefix: String,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let running = self.running()?;
        let status = status.map(str::parse).transpose();
        let status = status.map_err(|e: deepslate::storage::UnknownStatus| PyValueError::new_err(e.to_string()))?;
        let which = Which { name_prefix: prefix, status, flow };
        let (mut after, mut rows) = (None, Vec::new());
        loop {
            let page = Platform::wait(py, &running, running.engine.list(which.clone(), after, 1_000))?;
            for isolate in page.isolates {
                let row = PyDict::new(py);
                row.set_item("name", &isolate.name)?;
                row.set_item("id", isolate.id.to_string())?;
                row.set_item("flow", &isolate.flow)?;
                row.set_item("status", isolate.status.name())?;
                row.set_item("reason", &isolate.parked)?;
                rows.push(row);
            }
            after = page.next;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }

    fn inspect(&self, py: Python<'_>, address: String) -> PyResult<String> {
        let running = self.running()?;
        let config = deepslate_inspector::Config { address, ..deepslate_inspector::Config::default() };
        let engine = running.engine.clone();
        let served = py.detach(|| running.engine.block_on(deepslate_inspector::serve(engine, config)));
        served.map(|handle| handle.url()).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    /// Commits what runs and gives the lease back; the store stays open.
    fn shutdown(&self, py: Python<'_>) {
        let running = lock(&self.running).clone();
        if let Some(running) = running {
            py.detach(|| {
                running.engine.block_on(running.engine.shutdown());
                running.impure.close();
                running.pure.close();
            });
        }
    }

    fn close(&self, py: Python<'_>) {
        self.shutdown(py);
        let running = lock(&self.running).take();
        let store = lock(&self.store).take();
        let runtime = lock(&self.runtime).take();
        // These may wait for threads that need the interpreter's lock.
        py.detach(|| {
            drop((running, store));
            if let Some(runtime) = runtime {
                runtime.shutdown_background();
            }
        });
    }
}

impl Platform {
    fn image(
        &self,
        py: Python<'_>,
        sources: Vec<(String, u32, String)>,
        constants: &Bound<'_, PyDict>,
    ) -> PyResult<Image> {
        let sources: Vec<Source> =
            sources.into_iter().map(|(path, first_line, text)| Source { path, text, first_line }).collect();
        let mut known = Vec::new();
        for (name, value) in constants.iter() {
            let name: String = name.extract()?;
            let datum = constant(&value, &name)?;
            known.push((name, datum));
        }
        let options = FrontendOptions { constants: known, pure_in_host: true, ..FrontendOptions::default() };
        let compiled = py.detach(|| compile(&sources, &options));
        let problem = || errors::ours(py, "CompileError", &format!("\n{}", compiled.render(false)));
        let Some(module) = compiled.module.clone() else { return Err(problem()) };
        Image::of(module).map_err(|error| errors::ours(py, "CompileError", &error.to_string()))
    }
}

impl Running {
    /// The arguments of a flow by name, in the order of its parameters.
    fn args(&self, flow: &str, given: &Bound<'_, PyDict>) -> PyResult<Vec<Datum>> {
        let Some(id) = self.module.flow(flow) else {
            // The engine knows all flows that can be spawned, and says so.
            return Ok(Vec::new());
        };
        let func = self.module.func(id);
        let types = &self.module.types;
        let takes = || {
            let params = func.params.iter().map(|p| p.shown(types));
            format!("the flow is {flow}({}) -> {}", params.collect::<Vec<_>>().join(", "), types.name(func.ret))
        };
        for name in given.keys() {
            let name: String = name.extract()?;
            if func.params.iter().all(|p| p.name != name) {
                return Err(PyTypeError::new_err(format!("spawn: no parameter `{name}`; {}", takes())));
            }
        }
        let params = func.params.iter();
        params
            .map(|param| match given.get_item(&param.name)? {
                Some(value) => to_datum(types, param.ty, &value, &format!("argument `{}`", param.name)),
                None => param.default_value(types).ok_or_else(|| {
                    PyTypeError::new_err(format!("spawn: argument `{}` is missing; {}", param.name, takes()))
                }),
            })
            .collect()
    }

    /// How an isolate ended, as a value or an exception.
    fn value<'py>(&self, py: Python<'py>, finished: &Finished) -> PyResult<Bound<'py, PyAny>> {
        match &finished.ending {
            Ending::Done(datum) => match finished.declared() {
                Some((module, ret)) => to_python(py, &module.types, &self.classes, ret, datum),
                None => {
                    Err(errors::ours(py, "StoreError", &format!("the program of `{}` can't be read", finished.name)))
                }
            },
            Ending::Failed(failure) => Err(errors::flow_failed(py, &finished.name, failure)),
            Ending::Cancelled => Err(errors::ours(py, "FlowCancelled", &format!("`{}` was cancelled", finished.name))),
        }
    }
}

/// Gives a callback its value or exception.
fn settle(py: Python<'_>, callback: &Py<PyAny>, value: PyResult<Bound<'_, PyAny>>) {
    let called = match value {
        Ok(value) => callback.bind(py).call1((true, value)),
        Err(error) => callback.bind(py).call1((false, error.into_value(py))),
    };
    if let Err(error) = called {
        error.write_unraisable(py, Some(callback.bind(py)));
    }
}

fn seconds(timeout: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(timeout) = timeout else { return Ok(None) };
    if timeout == f64::INFINITY {
        return Ok(None);
    }
    Duration::try_from_secs_f64(timeout.max(0.0)).map(Some).map_err(|e| PyValueError::new_err(format!("timeout: {e}")))
}

/// The value of a module constant, by what it is: nothing declares its type.
pub(crate) fn constant(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Datum> {
    if value.is_none() {
        Ok(Datum::None)
    } else if let Ok(flag) = value.cast::<PyBool>() {
        Ok(Datum::Bool(flag.is_true()))
    } else if value.is_instance_of::<PyInt>() {
        value
            .extract()
            .map(Datum::Int)
            .map_err(|_| PyTypeError::new_err(format!("constant `{name}` does not fit 64 bits")))
    } else if value.is_instance_of::<PyFloat>() {
        value.extract().map(Datum::Float)
    } else if let Ok(text) = value.cast::<PyString>() {
        Ok(Datum::Str(text.to_cow()?.into_owned()))
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        Ok(Datum::Bytes(bytes.as_bytes().to_vec()))
    } else if let Ok(parts) = value.cast::<PyTuple>() {
        parts.iter().map(|part| constant(&part, name)).collect::<PyResult<_>>().map(Datum::Tuple)
    } else if let Ok(items) = value.cast::<PyList>() {
        items.iter().map(|item| constant(&item, name)).collect::<PyResult<_>>().map(Datum::List)
    } else if let Ok(entries) = value.cast::<PyDict>() {
        let entry = |(k, v): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Ok((constant(&k, name)?, constant(&v, name)?));
        entries.iter().map(entry).collect::<PyResult<_>>().map(Datum::Dict)
    } else {
        let kind = value.get_type().name()?.to_string();
        Err(PyTypeError::new_err(format!("constant `{name}` is a {kind}, which a flow can't capture")))
    }
}
