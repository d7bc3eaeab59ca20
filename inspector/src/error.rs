//! What the API refuses, declared in one table: the kind that programs read, and the HTTP status. The message says what, where
//! and what to do. Every answer that is no success has the form `{"error": {"kind", "message"}}`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use deepslate_engine as engine;

use crate::json;

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal $status:ident;)*) => {
        /// Why the API refuses.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl Refusal {
            /// What each kind means, for the documentation.
            #[cfg(test)]
            const DOCS: &'static [&'static str] = &[$(concat!($($doc),+)),*];

            /// Every kind.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$kind),*];

            /// Its name in answers.
            pub const fn name(self) -> &'static str {
                match self { $(Refusal::$kind => $name,)* }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<Refusal> {
                match name { $($name => Some(Refusal::$kind),)* _ => None }
            }

            /// Its HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Refusal::$kind => StatusCode::$status,)* }
            }
        }
    };
}

refusals! {
    /// A request that is none: a parameter, a body.
    BadRequest = "bad_request" BAD_REQUEST;
    /// A name that can't be one.
    BadName = "bad_name" BAD_REQUEST;
    /// Arguments that the flow does not take.
    BadArguments = "bad_arguments" BAD_REQUEST;
    /// The request comes from a page that is not ours, or by a name that is not.
    Forbidden = "forbidden" FORBIDDEN;
    /// There is no such path.
    NoRoute = "no_route" NOT_FOUND;
    /// The path is there, but not for this method.
    BadMethod = "bad_method" METHOD_NOT_ALLOWED;
    /// There is no isolate of this name.
    NotFound = "not_found" NOT_FOUND;
    /// No program deployed here has such a flow.
    UnknownFlow = "unknown_flow" NOT_FOUND;
    /// The isolate has no queue of this name now.
    UnknownQueue = "unknown_queue" NOT_FOUND;
    /// The isolate has ended, or the queue is closed.
    Ended = "ended" CONFLICT;
    /// The queue takes no more elements now.
    QueueFull = "queue_full" TOO_MANY_REQUESTS;
    /// It has not ended.
    NotFinished = "not_finished" CONFLICT;
    /// The program calls a host function that is not registered.
    MissingHost = "missing_host" CONFLICT;
    /// Another session of the same node holds the store.
    Held = "held" CONFLICT;
    /// The body is larger than a message may be.
    TooLarge = "too_large" PAYLOAD_TOO_LARGE;
    /// A change must come as `application/json`.
    NotJson = "not_json" UNSUPPORTED_MEDIA_TYPE;
    /// A program that this engine can't run.
    Program = "program" UNPROCESSABLE_ENTITY;
    /// Stored bytes are damaged.
    Corrupt = "corrupt" INTERNAL_SERVER_ERROR;
    /// The machine refused something.
    System = "system" INTERNAL_SERVER_ERROR;
    /// The store refused.
    Store = "store" SERVICE_UNAVAILABLE;
    /// The engine is stopping.
    Stopping = "stopping" SERVICE_UNAVAILABLE;
    /// Another node holds the isolate.
    NotOwner = "not_owner" SERVICE_UNAVAILABLE;
    /// More pages follow along than may.
    TooMany = "too_many" TOO_MANY_REQUESTS;
    /// The time given is over and it has not ended.
    Timeout = "timeout" GATEWAY_TIMEOUT;
    /// The store has no space left.
    Full = "full" INSUFFICIENT_STORAGE;
}

/// A refusal with its words.
#[derive(Clone, Debug)]
pub struct ApiError {
    kind: Refusal,
    message: String,
}

impl ApiError {
    /// A refusal of a kind, with a message that says what, where and what to do.
    pub fn new(kind: Refusal, message: impl Into<String>) -> ApiError {
        ApiError { kind, message: message.into() }
    }

    /// A request that is none.
    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError::new(Refusal::BadRequest, message)
    }

    /// Why.
    pub fn kind(&self) -> Refusal {
        self.kind
    }

    /// The body of the answer.
    pub fn json(&self) -> String {
        json::object(|o| {
            o.object("error", |o| {
                o.text("kind", self.kind.name());
                o.text("message", &self.message);
            });
        })
    }
}

impl From<engine::Error> for ApiError {
    fn from(error: engine::Error) -> ApiError {
        let kind = match error.kind() {
            engine::Kind::BadName => Refusal::BadName,
            engine::Kind::UnknownFlow => Refusal::UnknownFlow,
            engine::Kind::BadArguments => Refusal::BadArguments,
            engine::Kind::NotFound => Refusal::NotFound,
            engine::Kind::NotFinished => Refusal::NotFinished,
            engine::Kind::UnknownQueue => Refusal::UnknownQueue,
            engine::Kind::Ended => Refusal::Ended,
            engine::Kind::QueueFull => Refusal::QueueFull,
            engine::Kind::Timeout => Refusal::Timeout,
            engine::Kind::MissingHost => Refusal::MissingHost,
            engine::Kind::Program => Refusal::Program,
            engine::Kind::Corrupt => Refusal::Corrupt,
            engine::Kind::NotOwner => Refusal::NotOwner,
            engine::Kind::Stopping => Refusal::Stopping,
            engine::Kind::Held => Refusal::Held,
            engine::Kind::Store(engine::storage::Kind::Full) => Refusal::Full,
            engine::Kind::Store(_) => Refusal::Store,
            engine::Kind::System => Refusal::System,
        };
        ApiError::new(kind, error.context())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        (self.kind.status(), [(header::CONTENT_TYPE, json)], self.json()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use std::collections::HashSet;

    #[test]
    fn the_document_has_every_refusal() {
        let document = include_str!("../API.md");
        for (kind, doc) in Refusal::ALL.iter().zip(Refusal::DOCS) {
            let row = format!("| `{}` | {} | {} |", kind.name(), kind.status().as_u16(), doc.trim());
            assert!(document.lines().any(|line| line == row), "API.md lacks: {row}");
        }
    }

    #[test]
    fn every_refusal_has_its_own_name_and_a_status_of_failure() {
        let names: HashSet<_> = Refusal::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Refusal::ALL.len());
        for kind in Refusal::ALL {
            assert_eq!(Refusal::from_name(kind.name()), Some(*kind));
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
        }
    }
}
