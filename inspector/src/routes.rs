//! The routes: what can be asked, from which parameters, and which view answers. Everything is done through the engine's public
//! handle.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use deepslate_engine::Engine;
use deepslate_engine::storage::Status;
use tokio::sync::watch;

use crate::error::{ApiError, Refusal};
use crate::guard::{self, Guard};
use crate::images::Images;
use crate::{assets, events, json, view};

/// Most isolates on one page.
const LIMIT_MAX: usize = 1_000;
/// Isolates on a page of a request that does not say.
const LIMIT: usize = 100;
/// Longest wait of one request for a result; whoever waits longer asks again.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Largest body of a request: arguments of the largest message, and room for their escapes.
const BODY_BYTES_MAX: usize = 16 << 20;

/// What every route has at hand.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) images: Images,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) followers: events::Followers,
}

impl Shared {
    /// Ends when the inspector does.
    pub(crate) async fn stopping(mut self) {
        // The sender is held by the server as long as it serves.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }
}

/// All routes.
pub(crate) fn of(engine: Engine, guard: Guard, stop: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/", get(async || assets::index()))
        .route("/isolates/{name}", get(async || assets::index()))
        .route("/assets/{file}", get(async |Path(file): Path<String>| assets::file(&file)))
        .route("/api/health", get(health))
        .route("/api/flows", get(flows))
        .route("/api/counts", get(counts))
        .route("/api/events", get(list_events))
        .route("/api/isolates", get(list).post(spawn))
        .route("/api/isolates/{name}", get(show).delete(delete))
        .route("/api/isolates/{name}/events", get(isolate_events))
        .route("/api/isolates/{name}/history", get(history))
        .route("/api/isolates/{name}/source", get(source))
        .route("/api/isolates/{name}/result", get(result))
        .route("/api/isolates/{name}/cancel", post(cancel))
        .route("/api/isolates/{name}/pause", post(pause))
        .route("/api/isolates/{name}/resume", post(resume))
        .route("/api/isolates/{name}/send", post(send))
        .fallback(async || ApiError::new(Refusal::NoRoute, "there is no such path: the API is under /api/"))
        .method_not_allowed_fallback(async || {
            ApiError::new(Refusal::BadMethod, "this path is there, but not for this method")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(guard, guard::layer))
        .with_state(Shared { engine, images: Images::default(), stop, followers: events::Followers::default() })
}

type Answer = Result<Json, ApiError>;

/// An answer that is JSON text.
struct Json(String);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// The isolate's name in a path.
struct Name(String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Name, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Name(name)),
            Err(error) => Err(ApiError::bad_request(format!("the path can't be read: {error}"))),
        }
    }
}

/// A request's body.
struct Sent(Bytes);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Sent, ApiError> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Sent(bytes)),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let what = format!(
                    "a request has at most {BODY_BYTES_MAX} bytes: keep large values elsewhere and pass where they are"
                );
                Err(ApiError::new(Refusal::TooLarge, what))
            }
            Err(error) => Err(ApiError::bad_request(format!("the body can't be read: {error}"))),
        }
    }
}

/// The parameters of a request's query, by name.
struct Asked(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked, ApiError> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Asked(asked)),
            Err(error) => Err(ApiError::bad_request(format!("the query can't be read: {error}"))),
        }
    }
}

impl Asked {
    /// Refuses parameters that are not known here, which otherwise would silently do nothing.
    fn only(self, known: &[&str]) -> Result<Asked, ApiError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(self),
            Some(key) => {
                let message = format!("there is no parameter `{key}` here: there is {}", known.join(", "));
                Err(ApiError::bad_request(message))
            }
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn number<T: std::str::FromStr>(&self, key: &str, what: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let wrong = || ApiError::bad_request(format!("`{key}={text}`: expected {what}"));
        text.parse().map(Some).map_err(|_| wrong())
    }

    fn limit(&self) -> Result<usize, ApiError> {
        match self.number("limit", "how many")?.unwrap_or(LIMIT) {
            limit @ 1..=LIMIT_MAX => Ok(limit),
            limit => Err(ApiError::bad_request(format!("`limit={limit}`: expected 1 to {LIMIT_MAX}"))),
        }
    }
}

/// A page of the list, as asked.
pub(crate) struct Wanted {
    pub(crate) status: Option<Status>,
    pub(crate) flow: Option<String>,
    pub(crate) prefix: String,
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
}

impl TryFrom<Asked> for Wanted {
    type Error = ApiError;

    fn try_from(asked: Asked) -> Result<Wanted, ApiError> {
        let asked = asked.only(&["status", "flow", "prefix", "after", "limit"])?;
        let limit = asked.limit()?;
        let status = asked.text("status").map(str::parse).transpose();
        let status = status.map_err(|what| ApiError::bad_request(format!("`status`: {what}")))?;
        Ok(Wanted {
            status,
            flow: asked.text("flow").map(str::to_owned),
            prefix: asked.text("prefix").unwrap_or_default().to_owned(),
            after: asked.text("after").map(str::to_owned),
            limit,
        })
    }
}

async fn health(State(shared): State<Shared>) -> Json {
    Json(view::health(&shared))
}

async fn flows(State(shared): State<Shared>) -> Json {
    Json(view::flows(&shared.engine))
}

async fn counts(State(shared): State<Shared>) -> Answer {
    view::counts(&shared.engine).await.map(Json)
}

async fn list(State(shared): State<Shared>, asked: Asked) -> Answer {
    let wanted = Wanted::try_from(asked)?;
    let page = view::list(&shared.engine, &wanted).await?;
    Ok(Json(view::stamped(&page, shared.engine.now_ms())))
}

async fn show(State(shared): State<Shared>, Name(name): Name) -> Answer {
    let shown = view::show(&shared, &name).await?;
    Ok(Json(view::stamped(&shown, shared.engine.now_ms())))
}

async fn source(State(shared): State<Shared>, Name(name): Name) -> Answer {
    view::source(&shared, &name).await.map(Json)
}

async fn history(State(shared): State<Shared>, Name(name): Name, asked: Asked) -> Answer {
    let asked = asked.only(&["from", "limit"])?;
    let from = asked.number("from", "the number of an event")?.unwrap_or(0);
    view::history(&shared.engine, &name, from, asked.limit()?).await.map(Json)
}

async fn result(State(shared): State<Shared>, Name(name): Name, asked: Asked) -> Answer {
    let asked = asked.only(&["timeout"])?;
    let seconds: f64 = asked.number("timeout", "seconds")?.unwrap_or(0.0);
    let wait = Duration::try_from_secs_f64(seconds)
        .map_err(|_| ApiError::bad_request(format!("`timeout={seconds}`: expected seconds, 0 or more")))?;
    let engine = shared.engine.clone();
    tokio::select! {
        answer = view::result(&engine, &name, wait.min(WAIT_MAX)) => answer.map(Json),
        () = shared.stopping() => Err(ApiError::new(Refusal::Stopping, "the engine is stopping; ask again when it is back")),
    }
}

async fn list_events(State(shared): State<Shared>, asked: Asked) -> Result<Response, ApiError> {
    Ok(events::of_list(shared, Wanted::try_from(asked)?)?.into_response())
}

async fn isolate_events(State(shared): State<Shared>, Name(name): Name) -> Result<Response, ApiError> {
    Ok(events::of_isolate(shared, name)?.into_response())
}

/// The members of a body that is an object with some of these members; an empty one has none.
fn body<'a>(bytes: &'a [u8], known: &[&str]) -> Result<HashMap<String, &'a str>, ApiError> {
    let wrong = |what: String| ApiError::bad_request(what);
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("the body is no UTF-8 text".into()))?;
    if text.trim().is_empty() {
        return Ok(HashMap::new());
    }
    let members = json::members(text).map_err(wrong)?;
    match members.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        None => Ok(members.into_iter().collect()),
        Some((key, _)) if known.is_empty() => {
            Err(wrong(format!("there is no member `{key}` here: the body is empty or {{}}")))
        }
        Some((key, _)) => Err(wrong(format!("there is no member `{key}` here: there is {}", known.join(", ")))),
    }
}

async fn spawn(State(shared): State<Shared>, Sent(bytes): Sent) -> Result<(StatusCode, Json), ApiError> {
    let members = body(&bytes, &["name", "flow", "args"])?;
    let text = |key: &str| -> Result<String, ApiError> {
        let text = members.get(key).and_then(|text| serde_json::from_str(text).ok());
        text.ok_or_else(|| ApiError::bad_request(format!("the body needs `{key}`, a text")))
    };
    let (name, flow) = (text("name")?, text("flow")?);
    let args = members.get("args").copied().unwrap_or("{}");
    let (exists, answer) = view::spawn(&shared.engine, &name, &flow, args).await?;
    Ok((if exists { StatusCode::OK } else { StatusCode::CREATED }, Json(answer)))
}

async fn cancel(State(shared): State<Shared>, Name(name): Name, Sent(bytes): Sent) -> Answer {
    body(&bytes, &[])?;
    Ok(Json(view::answer(&name, &shared.engine.cancel(&name).await?)))
}

async fn pause(State(shared): State<Shared>, Name(name): Name, Sent(bytes): Sent) -> Answer {
    body(&bytes, &[])?;
    Ok(Json(view::answer(&name, &shared.engine.pause(&name).await?)))
}

async fn resume(State(shared): State<Shared>, Name(name): Name, Sent(bytes): Sent) -> Answer {
    body(&bytes, &[])?;
    Ok(Json(view::answer(&name, &shared.engine.resume(&name).await?)))
}

async fn send(State(shared): State<Shared>, Name(name): Name, Sent(bytes): Sent) -> Answer {
    let members = body(&bytes, &["queue", "value", "id"])?;
    let text = |key: &str| -> Result<Option<String>, ApiError> {
        let Some(text) = members.get(key) else { return Ok(None) };
        let text = serde_json::from_str(text).map_err(|_| ApiError::bad_request(format!("`{key}` must be a text")))?;
        Ok(Some(text))
    };
    let missing = |key: &str| ApiError::bad_request(format!("the body needs `{key}`"));
    let queue = text("queue")?.ok_or_else(|| missing("queue"))?;
    let value = members.get("value").copied().ok_or_else(|| missing("value"))?;
    let answer = shared.engine.send_json(&name, &queue, value, text("id")?.as_deref()).await?;
    Ok(Json(view::answer(&name, &answer)))
}

async fn delete(State(shared): State<Shared>, Name(name): Name, Sent(bytes): Sent) -> Answer {
    body(&bytes, &[])?;
    Ok(Json(view::answer(&name, &shared.engine.delete(&name).await?)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_has_every_route() {
        let document = include_str!("../API.md");
        let source = include_str!("routes.rs");
        let routes = source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
        let routes: Vec<_> = routes.filter(|route| route.starts_with("/api/")).collect();
        assert!(routes.len() > 10);
        for route in routes {
            assert!(document.contains(&format!(" {route}")), "API.md lacks {route}");
        }
    }
}
