//! Arguments from the command line: `--arg key=value` against what a flow takes. A value is JSON, or plain text where text is
//! wanted; whether it fits the parameter's type is judged where the types are, not here.

use serde_json::Value;

use deepslate::ir::json::nearest;

use crate::exit::{Exit, Outcome, Stopped};
use deepslate_inspector::json::lenient;

/// A flow as the command line sees it: its name, and the name and type of each parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takes {
    /// The flow.
    pub flow: String,
    /// Name and type of each parameter, in order; after the type ` = …` where it need not be given.
    pub params: Vec<(String, String)>,
}

impl Takes {
    /// In words: `counter takes limit: int`.
    pub fn describe(&self) -> String {
        if self.params.is_empty() {
            return format!("{} takes no arguments", self.flow);
        }
        let params: Vec<_> = self.params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        format!("{} takes {}", self.flow, params.join(", "))
    }

    /// The JSON object of arguments for `--arg` texts.
    pub fn arguments(&self, given: &[String]) -> Outcome<String> {
        let wrong = |what: String| Stopped::new(Exit::Usage, format!("{what}; {}", self.describe()));
        let mut found: Vec<(&str, String)> = Vec::new();
        for text in given {
            let Some((key, value)) = text.split_once('=') else {
                return Err(wrong(format!("--arg {text} has no `=`: write --arg name=value")));
            };
            let Some((name, ty)) = self.params.iter().find(|(name, _)| name == key) else {
                let names = self.params.iter().map(|(name, _)| name.as_str());
                let hint = nearest(key, names).map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
                return Err(wrong(format!("there is no argument {key}{hint}")));
            };
            if found.iter().any(|(known, _)| known == name) {
                return Err(wrong(format!("the argument {name} is given twice")));
            }
            let json = json_of(value, ty.split(" = ").next().unwrap_or(ty))
                .map_err(|what| wrong(format!("the argument {name}: {what}")))?;
            found.push((name, json));
        }
        let missing: Vec<_> = self
            .params
            .iter()
            .filter(|(_, ty)| !ty.contains(" = "))
            .map(|(name, _)| name.as_str())
            .filter(|name| !found.iter().any(|(n, _)| n == name))
            .collect();
        if !missing.is_empty() {
            return Err(wrong(format!("missing: {}", missing.join(", "))));
        }
        let members: Vec<_> = found.iter().map(|(name, json)| format!("{}: {json}", Value::from(*name))).collect();
        Ok(format!("{{{}}}", members.join(", ")))
    }
}

/// The JSON text for a value of a parameter of this type.
fn json_of(text: &str, ty: &str) -> Result<String, String> {
    if ty == "str" {
        let is_json = serde_json::from_str::<String>(text).is_ok();
        return Ok(if is_json { text.to_owned() } else { Value::from(text).to_string() });
    }
    match lenient(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("`{text}` is no {ty} in JSON")),
    }
}

#[cfg(test)]
mod tests {
    use super::Takes;
    use crate::exit::Exit;

    fn takes() -> Takes {
        let params = [("limit", "int"), ("label", "str"), ("rates", "list[float]")];
        Takes { flow: "counter".into(), params: params.map(|(n, t)| (n.to_owned(), t.to_owned())).to_vec() }
    }

    fn arguments(given: &[&str]) -> Result<String, String> {
        let given: Vec<_> = given.iter().map(|s| (*s).to_owned()).collect();
        takes().arguments(&given).map_err(|stopped| {
            assert_eq!(stopped.exit, Exit::Usage);
            stopped.message
        })
    }

    #[test]
    fn values_are_json_or_text_where_text_is_wanted() {
        let json = arguments(&["label=a=b \"c\"", "limit=3", "rates=[1.5, NaN]"]).unwrap();
        assert_eq!(json, r#"{"label": "a=b \"c\"", "limit": 3, "rates": [1.5, NaN]}"#);
        assert!(arguments(&["label=\"x\"", "limit=3", "rates=[]"]).unwrap().contains(r#""label": "x""#));
        assert!(arguments(&["label=123", "limit=3", "rates=[]"]).unwrap().contains(r#""label": "123""#));
    }

    #[test]
    fn what_has_a_default_may_be_left_out() {
        let params = [("limit", "int"), ("label", "str = \"x\"")];
        let params = params.map(|(n, t)| (n.to_owned(), t.to_owned())).to_vec();
        let takes = Takes { flow: "counter".into(), params };
        let arguments = |given: &[&str]| {
            let given: Vec<_> = given.iter().map(|s| (*s).to_owned()).collect();
            takes.arguments(&given).map_err(|stopped| stopped.message)
        };
        assert_eq!(arguments(&["limit=3"]).unwrap(), r#"{"limit": 3}"#);
        assert_eq!(arguments(&["limit=3", "label=7"]).unwrap(), r#"{"limit": 3, "label": "7"}"#);
        let message = arguments(&["label=7"]).unwrap_err();
        assert_eq!(message, "missing: limit; counter takes limit: int, label: str = \"x\"");
    }

    #[test]
    fn mistakes_say_what_the_flow_takes() {
        for (given, what) in [
            (&["limit"][..], "has no `=`"),
            (&["limt=3"], "did you mean limit?"),
            (&["limit=3", "limit=4"], "given twice"),
            (&["limit=three"], "`three` is no int"),
            (&["limit=3", "rates=[]"], "missing: label"),
        ] {
            let message = arguments(given).unwrap_err();
            assert!(message.contains(what), "{message}");
            assert!(message.ends_with("counter takes limit: int, label: str, rates: list[float]"), "{message}");
        }
    }
}
