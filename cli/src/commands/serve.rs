//! `deepslate serve`, and what `run` shares with it: an engine from files, its inspector, and the signals that end both.

use std::path::Path;

use deepslate::frontend::Options;
use deepslate::ir::image::Image;
use deepslate::{Config, Engine, HostFns};

use crate::args::Serve;
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};

/// Compiles a file; what is wrong with it is shown.
pub fn load(context: &Context, file: &Path) -> Outcome<(Image, HostFns)> {
    let loaded = context.loader.load(file, &Options::default())?;
    if !loaded.compiled.diagnostics.is_empty() {
        eprint!("{}", loaded.compiled.render(context.color()));
    }
    if loaded.compiled.has_errors() {
        return Err(Stopped::said(Exit::Failed));
    }
    Ok((loaded.image()?, loaded.hosts))
}

/// Shows the inspector of an engine.
pub async fn inspect(engine: &Engine, config: &Config) -> Outcome<deepslate_inspector::Handle> {
    let names = config.inspector.names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let place = deepslate_inspector::Config {
        address: config.inspector.address.clone(),
        hosts: names.map(str::to_owned).collect(),
    };
    // On the engine's runtime: it has threads of its own.
    let (inner, runtime) = (engine.inner().clone(), engine.runtime().clone());
    let served = runtime.spawn(async move { deepslate_inspector::serve(inner, place).await }).await;
    match served {
        Ok(Ok(handle)) => Ok(handle),
        Ok(Err(error)) => Err(Stopped::new(Exit::Refused, error.to_string())),
        Err(error) => Err(Stopped::new(Exit::Refused, format!("the inspector did not start: {error}"))),
    }
}

/// Waits for SIGINT or SIGTERM and gives its name.
pub async fn signal() -> Outcome<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let refused = |error: std::io::Error| Stopped::new(Exit::Refused, format!("signals can't be waited for: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}

/// Lets an engine come to its last commits; a second signal does not wait for them.
pub async fn stop(context: &Context, engine: &Engine) {
    tokio::select! {
        () = engine.shutdown() => {}
        _ = signal() => context.note("stopped at once; what was committed goes on with the next start"),
    }
}

/// Runs the flows of files until a signal.
pub async fn serve(context: &Context, args: &Serve) -> Outcome {
    let mut config = context.config()?;
    context.log(&config, None)?;
    if let Some(address) = &args.address {
        config.inspector.address.clone_from(address);
    }
    if let Some(workers) = args.workers {
        config.engine.workers = workers;
    }
    let mut builder = Engine::builder();
    for file in &args.files {
        let (image, hosts) = load(context, file)?;
        for name in hosts.names() {
            if let Some(function) = hosts.get(&name) {
                builder = builder.host_options(name.as_str(), hosts.options(&name)).host(name, function);
            }
        }
        builder = builder.image(image);
    }
    if let Some(address) = &args.http {
        config.http.address.clone_from(address);
    }
    if let Some(address) = config.http_address() {
        builder = builder.http(address);
    }
    let engine = builder.config(config.clone()).start().await?;
    let flows = engine.flows();
    for flow in flows.iter().filter(|flow| !flow.missing.is_empty()) {
        let other = context.loader.other_command().map(|command| format!(": serve it with `{command} serve`"));
        let other = other.unwrap_or_default();
        context.note(&format!("flow {} can't be spawned here, it calls {}{other}", flow.name, flow.missing.join(", ")));
    }
    let inspector = match inspect(&engine, &config).await {
        Ok(inspector) => inspector,
        Err(error) => {
            engine.shutdown().await;
            return Err(error);
        }
    };
    let names: Vec<_> = flows.iter().map(|flow| flow.name.as_str()).collect();
    context.note(&format!("flows: {}", names.join(", ")));
    context.note(&format!("inspector and control API: {}", inspector.url()));
    if let Some(address) = engine.http_address() {
        context.note(&format!("flows listen at http://{address}/"));
    }
    let name = signal().await?;
    context.note(&format!("{name}: what runs comes to its next commit, then this stops"));
    stop(context, &engine).await;
    Ok(())
}
