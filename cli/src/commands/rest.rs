//! `list` and `show` on a store that no engine runs: its file is read as it is, nothing is written.

use std::sync::Arc;

use deepslate::engine::Observer;
use deepslate::storage::backends::embedded::Embedded;
use deepslate::{Ending, Which};
use deepslate_inspector::json::lenient;
use deepslate_inspector::view;

use crate::args::{List, Show};
use crate::context::Context;
use crate::exit::{Exit, Outcome, Stopped};
use crate::print;

/// Who reads the store of the config while no engine is asked.
pub(super) async fn observer(context: &Context) -> Outcome<Observer> {
    let config = context.config()?;
    if config.store.backend != "embedded" {
        let what =
            format!("the {} store can't be read at rest: ask a running engine with --address", config.store.backend);
        return Err(Stopped::new(Exit::Usage, what));
    }
    let settings = config.store_settings();
    let directory = settings.get("path").map_or(".deepslate", String::as_str);
    let store = Embedded::open_read_only(directory).await;
    let store = store.map_err(|error| Stopped::from(deepslate::engine::Error::from(error)))?;
    Ok(Observer::new(Arc::new(store), &config.options()))
}

/// The same as the engine's answer, from the store.
pub async fn list(context: &Context, args: &List) -> Outcome {
    let observer = observer(context).await?;
    let status = args.status.as_deref().map(str::parse).transpose();
    let which = Which {
        name_prefix: args.prefix.clone().unwrap_or_default(),
        status: status.map_err(|error| Stopped::new(Exit::Usage, format!("--status: {error}")))?,
        flow: args.flow.clone(),
    };
    let page = observer.list(which, args.after.clone(), args.limit as usize).await?;
    let answer = view::listing(&page, &observer.counts().await?);
    say(context, &view::stamped(&answer, observer.now_ms().await?), print::list);
    Ok(())
}

/// The same as the engine's answer, from the last commit.
pub async fn show(context: &Context, args: &Show) -> Outcome {
    let observer = observer(context).await?;
    let shown = observer.show(&args.name).await?;
    // Without its program it is shown without source lines.
    let image = observer.program(shown.summary.program).await.ok();
    let result = match shown.summary.ending {
        Some(Ending::Done(_)) => observer.result(&args.name).await?.json(),
        _ => None,
    };
    let answer = view::shown(&shown, image.as_ref(), result.as_deref());
    say(context, &view::stamped(&answer, observer.now_ms().await?), print::show);
    Ok(())
}

fn say(context: &Context, answer: &str, read: impl FnOnce(&serde_json::Value) -> String) {
    if context.json {
        print::line(answer);
        return;
    }
    if let Ok(value) = lenient(answer) {
        print::out(&read(&value));
        context.note("(read from the store; no engine was asked)");
    }
}
