//! The engine for Rust users: built from a store, flows and closures; asked with the user's own types.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deepslate_engine::{CallOptions, Ending, Finished, HostFn, HostFns, Kind, Options, Spawned};
use deepslate_ir::image::Image;
use deepslate_storage::backends::memory::Memory;
use deepslate_storage::{Store, backends};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::flows::Flows;
use crate::host::{HostClosure, HostClosureInContext, typed, typed_in_context};
use crate::value::{ValueError, from_datum, to_args};

/// Where isolates are to live.
#[derive(Debug, Default)]
enum Place {
    /// As the config says; its default is the embedded store in `.deepslate`.
    #[default]
    Config,
    Embedded(PathBuf),
    Memory,
    Open(Arc<dyn Store>),
}

/// What an engine is made of.
#[derive(Debug, Default)]
pub struct Builder {
    place: Place,
    config: Config,
    options: Option<Options>,
    http: Option<String>,
    flows: Flows,
    images: Vec<Image>,
    hosts: HostFns,
    host_options: Vec<(String, CallOptions)>,
    runtime: Option<deepslate_engine::Handle>,
}

impl Builder {
    /// Keeps isolates in the embedded store in this directory, which is made if need be.
    #[must_use]
    pub fn embedded(mut self, directory: impl AsRef<Path>) -> Builder {
        self.place = Place::Embedded(directory.as_ref().to_owned());
        self
    }

    /// Keeps isolates in memory: they are gone when the engine is.
    #[must_use]
    pub fn memory(mut self) -> Builder {
        self.place = Place::Memory;
        self
    }

    /// Keeps isolates in a store that is open already.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Builder {
        self.place = Place::Open(store);
        self
    }

    /// Takes store and settings from a config.
    #[must_use]
    pub fn config(mut self, config: Config) -> Builder {
        self.config = config;
        self
    }

    /// Settings in place of those of the config.
    #[must_use]
    pub fn options(mut self, options: Options) -> Builder {
        self.options = Some(options);
        self
    }

    /// Lets flows listen at this address, `host:port`; port 0 takes a free one, which `http_address` of the engine says. Without it
    /// nothing listens, and requests can still be sent.
    #[must_use]
    pub fn http(mut self, address: impl Into<String>) -> Builder {
        self.http = Some(address.into());
        self
    }

    /// Adds flows as source text; `path` is what diagnostics and traces call it. All sources share one namespace.
    #[must_use]
    pub fn flows_from_source(mut self, path: impl Into<String>, text: impl Into<String>) -> Builder {
        self.flows = self.flows.source(path, text);
        self
    }

    /// Adds the flows of a file.
    ///
    /// # Errors
    /// `File` if it can't be read.
    pub fn flows_from_file(mut self, path: impl AsRef<Path>) -> Result<Builder> {
        self.flows = self.flows.file(path.as_ref())?;
        Ok(self)
    }

    /// Adds a program that is compiled already.
    #[must_use]
    pub fn image(mut self, image: Image) -> Builder {
        self.images.push(image);
        self
    }

    /// Gives flows a host function: an async closure that takes up to eight arguments of types that serde can read and returns
    /// `Result<T, E>` with a `T` that serde can write. The flow declares it with `@impure` or `@pure`; an impure one is called
    /// at least once for each step.
    #[must_use]
    pub fn host_fn<Args, Closure>(self, name: impl Into<String>, closure: Closure) -> Builder
    where
        Closure: HostClosure<Args>,
        Args: DeserializeOwned + Send + 'static,
    {
        self.host(name, typed(closure))
    }

    /// The same for a closure that takes the [`CallContext`](deepslate_engine::CallContext) first, with the idempotency key.
    #[must_use]
    pub fn host_fn_in_context<Args, Closure>(self, name: impl Into<String>, closure: Closure) -> Builder
    where
        Closure: HostClosureInContext<Args>,
        Args: DeserializeOwned + Send + 'static,
    {
        self.host(name, typed_in_context(closure))
    }

    /// The same for any host function.
    #[must_use]
    pub fn host(self, name: impl Into<String>, function: Arc<dyn HostFn>) -> Builder {
        self.hosts.register(name, function);
        self
    }

    /// Says how the impure host function of this name is called: retries with backoff, timeout, concurrency. `start` refuses
    /// options that make no sense.
    ///
    /// ```
    /// # use deepslate::{CallOptions, Engine};
    /// # use std::time::Duration;
    /// let charge = CallOptions { retries: 5, timeout: Some(Duration::from_secs(10)), ..CallOptions::default() };
    /// let builder = Engine::builder().host_options("charge", charge);
    /// # drop(builder);
    /// ```
    #[must_use]
    pub fn host_options(mut self, name: impl Into<String>, options: CallOptions) -> Builder {
        self.host_options.push((name.into(), options));
        self
    }

    /// A runtime of the caller for I/O and host functions, in place of one that the engine makes.
    #[must_use]
    pub fn runtime(mut self, runtime: deepslate_engine::Handle) -> Builder {
        self.runtime = Some(runtime);
        self
    }

    /// Compiles the flows, opens the store and starts.
    ///
    /// # Errors
    /// `Flows` with all diagnostics if they don't compile; `Engine` with kind `BadArguments` for options of a host function that make
    /// no sense; what the store and the engine say.
    pub async fn start(self) -> Result<Engine> {
        for (name, options) in self.host_options {
            let configured = self.hosts.configure(name.as_str(), options);
            configured.map_err(|what| {
                let what = format!("the options of host function `{name}`: {what}");
                deepslate_engine::Error::new(Kind::BadArguments, "start", what)
            })?;
        }
        let mut images = self.images;
        if !self.flows.is_empty() {
            images.push(self.flows.image()?);
        }
        let store = match self.place {
            Place::Config => open_store(&self.config).await?,
            Place::Embedded(directory) => {
                let config = Config::default();
                let settings = [("path".to_owned(), directory.display().to_string())].into();
                backends::open(&config.store.backend, &settings).await?
            }
            Place::Memory => Arc::new(Memory::new()),
            Place::Open(store) => store,
        };
        let mut options = self.options.unwrap_or_else(|| self.config.options());
        if self.http.is_some() {
            options.http.address = self.http;
        }
        let mut builder = deepslate_engine::Engine::builder(store).options(options).hosts(self.hosts);
        for image in images {
            builder = builder.deploy(image);
        }
        if let Some(runtime) = self.runtime {
            builder = builder.runtime(runtime);
        }
        Ok(Engine { inner: builder.start().await? })
    }
}

/// Opens the store that a config selects.
///
/// # Errors
/// What the backend says.
pub async fn open_store(config: &Config) -> Result<Arc<dyn Store>> {
    Ok(backends::open(&config.store.backend, &config.store_settings()).await?)
}

/// A running engine. Cheap to clone; it stops when the last clone is dropped, or drained by `shutdown`.
///
/// It is the engine of [`deepslate_engine`] (to which it derefs, for everything that needs no types) with `spawn` and `result` in
/// the user's own types.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: deepslate_engine::Engine,
}

impl Deref for Engine {
    type Target = deepslate_engine::Engine;

    fn deref(&self) -> &deepslate_engine::Engine {
        &self.inner
    }
}

impl From<deepslate_engine::Engine> for Engine {
    fn from(inner: deepslate_engine::Engine) -> Engine {
        Engine { inner }
    }
}

impl Engine {
    /// What to start an engine from.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Spawns a flow under a name. Arguments are a struct or map with the names of the parameters, or a tuple by position; `()` for
    /// none. The first spawn of a name wins, the others get its id. Acknowledged when it is durable.
    ///
    /// # Errors
    /// `Value` for arguments that do not fit; `Engine` for what the engine says.
    pub async fn spawn<Args: Serialize>(&self, name: &str, flow: &str, args: Args) -> Result<Spawned> {
        // Of a flow that is not there the engine says so, with those that are.
        let args = match self.inner.flow(flow) {
            Some((image, func)) => {
                let module = image.module();
                let signature = module.func(func);
                to_args(module, &signature.params, &args)
                    .map_err(|error| ValueError(format!("flow `{flow}`: {error}")))?
            }
            None => Vec::new(),
        };
        Ok(self.inner.spawn(name, flow, args).await?)
    }

    /// Waits for an isolate's value.
    ///
    /// # Errors
    /// `Failed` and `Cancelled` for one that ended so; `Value` for a type that the value does not fit; `Engine` for what the engine says.
    pub async fn result<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        value(self.inner.result(name, None).await?)
    }

    /// The same for no longer than this; then the error is `Engine` with kind `Timeout`, and the isolate goes on.
    ///
    /// # Errors
    /// As `result`.
    pub async fn result_within<T: DeserializeOwned>(&self, name: &str, timeout: Duration) -> Result<T> {
        value(self.inner.result(name, Some(timeout)).await?)
    }

    /// The engine beneath, for the faces.
    pub fn inner(&self) -> &deepslate_engine::Engine {
        &self.inner
    }
}

fn value<T: DeserializeOwned>(finished: Finished) -> Result<T> {
    let declared = finished.declared();
    match &finished.ending {
        Ending::Done(datum) => match declared {
            Some((module, ty)) => {
                let fits = from_datum(module, ty, datum);
                Ok(fits.map_err(|error| ValueError(format!("the value of `{}`: {error}", finished.name)))?)
            }
            None => Err(Error::Value(ValueError(format!("the program of `{}` can't be read any more", finished.name)))),
        },
        Ending::Failed(failure) => Err(Error::Failed(failure.clone())),
        Ending::Cancelled => Err(Error::Cancelled),
    }
}
