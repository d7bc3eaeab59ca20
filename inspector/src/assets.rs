//! The page's files, in the binary: it works without a network and without files beside it.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const INDEX: &str = include_str!("assets/index.html");

const FILES: [(&str, &str, &str); 12] = [
    ("api.js", JS, include_str!("assets/api.js")),
    ("app.js", JS, include_str!("assets/app.js")),
    ("dom.js", JS, include_str!("assets/dom.js")),
    ("format.js", JS, include_str!("assets/format.js")),
    ("icon.svg", SVG, include_str!("assets/icon.svg")),
    ("isolate.js", JS, include_str!("assets/isolate.js")),
    ("json.js", JS, include_str!("assets/json.js")),
    ("list.js", JS, include_str!("assets/list.js")),
    ("python.js", JS, include_str!("assets/python.js")),
    ("status.js", JS, include_str!("assets/status.js")),
    ("style.css", CSS, include_str!("assets/style.css")),
    ("value.js", JS, include_str!("assets/value.js")),
];

/// The page itself, the same at every address that it shows.
pub fn index() -> Response {
    ([(header::CONTENT_TYPE, HTML)], INDEX).into_response()
}

/// A file of the page.
pub fn file(name: &str) -> Response {
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => (StatusCode::NOT_FOUND, "the page has no such file\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, HTML, INDEX};

    #[test]
    fn the_page_needs_nothing_from_outside_and_takes_no_markup() {
        for (name, _, text) in FILES.iter().chain([&("index.html", HTML, INDEX)]) {
            for outside in [
                "https://",
                "//cdn",
                "@import",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!text.contains(outside), "{name} has {outside}");
            }
            for (at, _) in text.match_indices("http://") {
                assert!(text[at..].starts_with("http://www.w3.org/2000/svg"), "{name} names another server");
            }
        }
        assert!(
            !INDEX.contains("<style") && !INDEX.contains(" style=") && !INDEX.contains("<script>"),
            "the policy forbids inline code"
        );
    }

    #[test]
    fn every_module_that_the_page_imports_is_there() {
        for (name, _, text) in FILES.iter() {
            for import in text.split("from \"./").skip(1) {
                let wanted = import.split('"').next().unwrap_or_default();
                assert!(FILES.iter().any(|(file, ..)| *file == wanted), "{name} imports {wanted}");
            }
        }
    }
}
