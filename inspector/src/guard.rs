//! Who may ask. A browser lets any page send requests to a server on this machine; so a request must name this server by an
//! address of its own (a foreign name that was made to resolve here is refused: DNS rebinding), must not come from another page,
//! and a change must be JSON, which no form of another page can send. Also the headers that keep the page closed.
//!
//! It knows no users: whoever can connect may do everything. That is why the default address is the loopback one.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, Refusal};

/// By which names this server is known.
#[derive(Clone, Debug)]
pub struct Guard {
    names: Arc<[String]>,
}

impl Guard {
    /// A guard that knows `localhost`, every IP address, and these names.
    ///
    /// An IP address can't be rebound: only a name that an attacker controls can be made to lead here.
    pub fn new(names: &[String]) -> Guard {
        Guard { names: names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    fn knows(&self, authority: &str) -> bool {
        let name = host_of(authority).to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        name == "localhost" || address.parse::<IpAddr>().is_ok() || self.names.contains(&name)
    }

    fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
        let forbidden = |what: String| Err(ApiError::new(Refusal::Forbidden, what));
        let host = text(headers, &header::HOST).unwrap_or_default();
        if !self.knows(host) {
            return forbidden(format!(
                "this server is not known as `{host}`: use its address or localhost, or add the name to `names` of [inspector]"
            ));
        }
        if let Some(origin) = text(headers, &header::ORIGIN) {
            let from = origin.split_once("://").map(|(_, authority)| authority);
            if !from.is_some_and(|from| from.eq_ignore_ascii_case(host)) {
                return forbidden(format!(
                    "requests of pages of {origin} are refused: only this server's own page may ask"
                ));
            }
        }
        let site = text(headers, &HeaderName::from_static("sec-fetch-site"));
        if path.starts_with("/api/") && site.is_some_and(|site| site != "same-origin" && site != "none") {
            return forbidden("requests of other pages are refused: only this server's own page may ask".to_owned());
        }
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        let kind = text(headers, &header::CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if changes && !kind.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::new(Refusal::NotJson, "a change must be sent with `content-type: application/json`"));
        }
        Ok(())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // Two of a kind, or one that is no text, count as one that fits nothing.
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return Some("");
    }
    Some(first.to_str().unwrap_or_default())
}

/// The host of `host:port`; an IPv6 address keeps its brackets.
fn host_of(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    }
}

const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The layer over all routes.
pub async fn layer(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = match guard.check(request.method(), request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            tracing::warn!(path = request.uri().path(), refusal = refusal.json(), "inspector: refused");
            refusal.into_response()
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Guard, host_of};
    use crate::error::Refusal;
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

    fn ask(method: Method, headers: &[(&'static str, &'static str)]) -> Option<Refusal> {
        let guard = Guard::new(&["inspector.example".to_owned()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        guard.check(&method, "/api/isolates", &map).err().map(|error| error.kind())
    }

    #[test]
    fn only_names_of_this_server_are_answered() {
        for good in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]", "10.1.2.3", "inspector.example:1"]
        {
            assert_eq!(ask(Method::GET, &[("host", good)]), None, "{good}");
        }
        for bad in
            ["", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "[evil]", "evil@localhost"]
        {
            assert_eq!(ask(Method::GET, &[("host", bad)]), Some(Refusal::Forbidden), "{bad}");
        }
        assert_eq!(ask(Method::GET, &[]), Some(Refusal::Forbidden));
        assert_eq!(ask(Method::GET, &[("host", "localhost"), ("host", "evil.example")]), Some(Refusal::Forbidden));
    }

    #[test]
    fn other_pages_are_refused() {
        let from = |origin| ask(Method::GET, &[("host", "localhost:8080"), ("origin", origin)]);
        assert_eq!(from("http://localhost:8080"), None);
        for bad in ["http://localhost:8081", "http://evil.example", "null", "", "http://evil.example://localhost:8080"]
        {
            assert_eq!(from(bad), Some(Refusal::Forbidden), "{bad}");
        }
        assert_eq!(
            ask(Method::GET, &[("host", "localhost"), ("sec-fetch-site", "cross-site")]),
            Some(Refusal::Forbidden)
        );
        assert_eq!(ask(Method::GET, &[("host", "localhost"), ("sec-fetch-site", "same-origin")]), None);
    }

    #[test]
    fn changes_are_json() {
        let with = |kind| ask(Method::POST, &[("host", "localhost"), ("content-type", kind)]);
        assert_eq!(with("application/json"), None);
        assert_eq!(with("Application/JSON; charset=utf-8"), None);
        for bad in ["text/plain", "application/x-www-form-urlencoded", ""] {
            assert_eq!(with(bad), Some(Refusal::NotJson), "{bad}");
        }
        assert_eq!(ask(Method::DELETE, &[("host", "localhost")]), Some(Refusal::NotJson));
    }

    #[test]
    fn the_port_is_not_part_of_the_host() {
        assert_eq!(host_of("a:1"), "a");
        assert_eq!(host_of("[::1]:1"), "[::1]");
        assert_eq!(host_of("[::1]"), "[::1]");
    }
}
