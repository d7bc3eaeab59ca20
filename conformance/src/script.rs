//! What answers the HTTP calls of a case: lines of its outcome, each for one call, taken in order by the first call that it fits.
//!
//! ```text
//! answer: listen POST /numbers = ok [1, 2]                 the body of a request
//! answer: listen POST /numbers = timeout none came         an error of this kind, with this message
//! answer: request GET http://a/b = status 404 not here     a response that is no success, with its body
//! ```

use deepslate_ir::datum::Datum;
use deepslate_ir::durable::Durable;
use deepslate_ir::interp::{NoWorld, World};
use deepslate_ir::module::Host;
use deepslate_ir::trap::Fault;
use serde_json::{Value, json};

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    call: Durable,
    method: String,
    target: String,
    given: Given,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Given {
    Body(String),
    Error { kind: String, message: String, status: u16, body: String },
}

impl Answer {
    /// What stands after `answer:`.
    pub fn parse(line: &str) -> Result<Answer, String> {
        let wrong = || format!("not `listen|request METHOD TARGET = ok|status|timeout|network …`: {line:?}");
        let (call, given) = line.split_once(" = ").ok_or_else(wrong)?;
        let [call, method, target] = call.split(' ').collect::<Vec<_>>()[..] else { return Err(wrong()) };
        let call = match call {
            "listen" => Durable::HttpListen,
            "request" => Durable::HttpRequest,
            _ => return Err(wrong()),
        };
        let (kind, text) = given.split_once(' ').unwrap_or((given, ""));
        let error = |message: String, status, body: &str| Given::Error {
            kind: kind.to_owned(),
            message,
            status,
            body: body.to_owned(),
        };
        let given = match kind {
            "ok" => Given::Body(text.to_owned()),
            "timeout" | "network" => error(text.to_owned(), 0, ""),
            "status" => {
                let (status, body) = text.split_once(' ').unwrap_or((text, ""));
                let status = status.parse().map_err(|_| wrong())?;
                error(format!("{method} {target}: the server answered {status}"), status, body)
            }
            _ => return Err(wrong()),
        };
        Ok(Answer { call, method: method.to_owned(), target: target.to_owned(), given })
    }

    /// As `reference/run.py` reads it.
    pub fn json(&self) -> Value {
        let call = match self.call {
            Durable::HttpListen => "listen",
            Durable::HttpRequest => "request",
        };
        let given = match &self.given {
            Given::Body(body) => json!(body),
            Given::Error { kind, message, status, body } => {
                json!({ "kind": kind, "message": message, "status": status, "body": body })
            }
        };
        json!([call, self.method, self.target, given])
    }

    fn datum(&self) -> Datum {
        let text = |text: &str| Datum::Str(text.to_owned());
        match &self.given {
            Given::Body(body) => Datum::Bytes(body.clone().into_bytes()),
            Given::Error { kind, message, status, body } => Datum::Object(vec![
                text(kind),
                text(message),
                Datum::Int(i64::from(*status)),
                Datum::Bytes(body.clone().into_bytes()),
                text(""),
                text(""),
            ]),
        }
    }
}

/// A world that has these answers and no others.
#[derive(Debug, Clone)]
pub struct Script(Vec<Answer>);

impl Script {
    /// With the answers of a case.
    pub fn new(answers: &[Answer]) -> Script {
        Script(answers.to_vec())
    }
}

impl World for Script {
    fn call_pure(&mut self, host: &Host, args: &[Datum]) -> Result<Datum, Fault> {
        NoWorld.call_pure(host, args)
    }

    fn call(&mut self, _: u64, host: &Host, args: &[Datum]) -> Option<Result<Datum, Fault>> {
        let call = Durable::from_name(&host.name)?;
        let [Datum::Str(method), Datum::Str(target), ..] = args else { return None };
        let fits = |answer: &Answer| answer.call == call && answer.method == *method && answer.target == *target;
        let at = self.0.iter().position(fits)?;
        Some(Ok(self.0.remove(at).datum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_for_the_first_call_that_it_fits() {
        let lines = [
            "listen POST /a = ok [1, 2]",
            "request GET http://a/b = status 404 not here",
            "listen POST /a = timeout late",
        ];
        let mut script = Script::new(&lines.map(|line| Answer::parse(line).unwrap()));
        let host = |call: Durable| Host {
            name: call.name().to_owned(),
            params: Vec::new(),
            ret: deepslate_ir::types::BYTES,
            purity: deepslate_ir::module::Purity::Impure,
        };
        let mut ask = |call, method: &str, target: &str| {
            script.call(0, &host(call), &[Datum::Str(method.into()), Datum::Str(target.into())])
        };
        assert_eq!(ask(Durable::HttpListen, "GET", "/a"), None);
        assert_eq!(ask(Durable::HttpListen, "POST", "/a"), Some(Ok(Datum::Bytes(b"[1, 2]".to_vec()))));
        let Some(Ok(Datum::Object(error))) = ask(Durable::HttpRequest, "GET", "http://a/b") else { panic!("no error") };
        assert_eq!((&error[0], &error[2]), (&Datum::Str("status".into()), &Datum::Int(404)));
        assert!(matches!(ask(Durable::HttpListen, "POST", "/a"), Some(Ok(Datum::Object(_)))));
        assert_eq!(ask(Durable::HttpListen, "POST", "/a"), None);
        for wrong in
            ["", "listen POST = ok", "hear POST /a = ok", "listen POST /a = perhaps", "request GET x = status many"]
        {
            assert!(Answer::parse(wrong).is_err(), "{wrong}");
        }
    }
}
